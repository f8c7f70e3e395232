// The OAuth clients of the TypeScript SDK, versions 1 and 2: find out where to log in, register or come with a document, log in,
// list and call, and are asked for another scope half-way. node typescript.mjs JWT_SERVER OPAQUE_SERVER prints what happened.
import { Client as Client1 } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as Transport1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { Client as Client2, StreamableHTTPClientTransport as Transport2 } from '@modelcontextprotocol/client';
import { Session } from './session.mjs';
import { REDIRECT, visit } from './visit.mjs';

const CIMD = 'https://client.example/oauth.json';

// Remembers where the issuer is, comes with a document if asked to, and notes the scopes of each login.
class Login extends Session {
  constructor(withDocument) {
    super({ redirect_uris: [REDIRECT], grant_types: ['authorization_code'], token_endpoint_auth_method: 'none' });
    if (withDocument) this.clientMetadataUrl = CIMD;
    this.scopes = [];
  }
  saveDiscoveryState(state) { this.discovered = state; }
  discoveryState() { return this.discovered; }
  redirectToAuthorization(address) {
    super.redirectToAuthorization(address);
    this.scopes.push(address.searchParams.get('scope'));
  }
}

const run = async (label, Client, Transport, address, withDocument) => {
  const said = [];
  const must = (what, holds, got) => {
    if (!holds) throw new Error(`${label}: ${what}: ${JSON.stringify(got)?.slice(0, 600)}`);
    said.push(what);
  };
  const url = new URL(address);
  const login = new Login(withDocument);
  let transport;
  const connect = async () => {
    transport = new Transport(url, { authProvider: login });
    const client = new Client({ name: 'end-to-end', version: '1' });
    await client.connect(transport);
    return client;
  };
  // Goes on after each login that the SDK asks for.
  const loggingIn = async (action) => {
    try {
      return await action();
    } catch (error) {
      if (!/unauthorized/i.test(`${error.name} ${error.constructor.name} ${error.message}`) || !login.address) throw error;
      const back = await visit(login.address);
      login.address = undefined;
      // The issuer in the answer (RFC 9207) is looked at by version 2.
      await (Transport === Transport2 ? transport.finishAuth(back) : transport.finishAuth(back.get('code')));
      return action();
    }
  };
  const client = await loggingIn(connect);
  const first = login.saved;
  must('found the issuer by the 401 and logged in', first?.access_token, login);
  must(`asked for the scope of the challenge`, login.scopes[0] === 'mcp', login.scopes);
  must(withDocument ? 'came with its document' : 'registered by itself',
    (login.information.client_id === CIMD) === withDocument, login.information);
  const tools = async (c) => (await c.listTools()).tools.map((tool) => tool.name).sort().join(' ');
  const before = await tools(client);
  must('sees the tools of its scope', before === 'get_whoami', before);
  const who = (await client.callTool({ name: 'get_whoami', arguments: {} })).structuredContent?.caller;
  must('is alice', who?.kind === 'human' && JSON.stringify(who).includes('alice@example.com'), who);
  const docs = await loggingIn(() => client.callTool({ name: 'list_docs', arguments: { limit: 1 } }));
  must('called another tool after a step-up', !docs.isError && docs.structuredContent?.items?.length === 1, docs);
  must('the step-up asked for both scopes', login.scopes.length === 2 && login.scopes[1].split(' ').sort().join(' ') === 'mcp rows:read', login.scopes);
  must('has a new token', login.saved.access_token !== first.access_token, null);
  const after = await tools(client);
  must('sees more tools', after.includes('list_docs'), after);
  await client.close();
  console.log(`${label}: ${said.join('; ')}`);
};

const [jwt, opaque] = process.argv.slice(2);
await run('TypeScript SDK 1, JWT, registration', Client1, Transport1, jwt, false);
await run('TypeScript SDK 1, opaque, document', Client1, Transport1, opaque, true);
await run('TypeScript SDK 2, JWT, document', Client2, Transport2, jwt, true);
await run('TypeScript SDK 2, opaque, registration', Client2, Transport2, opaque, false);
process.exit(0);
