// Clients behind the Access emulator: the OAuth clients of the TypeScript SDK, versions 1 and 2, log in through its page, a service
// token calls a tool, and each fault has the server's own reason. node access.mjs EDGE LOG, where LOG is what the server logs.
import { readFileSync } from 'node:fs';
import { Client as Client1 } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as Transport1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { Client as Client2, StreamableHTTPClientTransport as Transport2 } from '@modelcontextprotocol/client';
import { Session } from './session.mjs';

const [edge, logFile] = process.argv.slice(2);
const url = new URL('/mcp', edge);
const panel = new URL('/cdn-cgi/access/emulator', edge);
const REDIRECT = 'http://localhost:1455/callback';
const said = [];
const must = (what, holds, got) => {
  if (!holds) throw new Error(`${what}: ${JSON.stringify(got)?.slice(0, 600)}`);
  said.push(what);
};

// The hidden fields of a page, as a browser would send them along.
const unescape = (text) => text.replace(/&quot;/g, '"').replace(/&#39;/g, "'").replace(/&lt;/g, '<').replace(/&gt;/g, '>').replace(/&amp;/g, '&');
const fields = (page) => {
  const form = new URLSearchParams();
  for (const [, name, value] of page.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)">/g)) form.append(unescape(name), unescape(value));
  return form;
};

// A person: opens the page, types an address, and is sent back to the client.
const logIn = async (address, email) => {
  const page = await (await fetch(address)).text();
  const [, action] = page.match(/<form method="post" action="([^"]*)">/);
  const form = fields(page);
  form.append('email', email);
  const answer = await fetch(new URL(action, address), { method: 'POST', body: form, redirect: 'manual' });
  const back = answer.headers.get('location') ?? '';
  if (!back.startsWith(REDIRECT)) throw new Error(`the login ends at ${answer.status} ${back} ${await answer.text()}`);
  return new URL(back).searchParams;
};

const use = async (label, Client, Transport, method, email) => {
  const login = new Session({
    redirect_uris: [REDIRECT], grant_types: ['authorization_code', 'refresh_token'], token_endpoint_auth_method: method,
  });
  let transport;
  const connect = async () => {
    transport = new Transport(url, { authProvider: login });
    const client = new Client({ name: 'end-to-end', version: '1' });
    await client.connect(transport);
    return client;
  };
  let refused;
  try {
    await connect();
  } catch (error) {
    refused = `${error.name} ${error.constructor.name} ${error.message}`;
  }
  if (!login.address) throw new Error(`${label}: nobody was asked to log in: ${refused}`);
  must(`${label} asks for the resource (RFC 8707)`, login.address.searchParams.get('resource') === url.href, login.address);
  const back = await logIn(login.address, email);
  await transport.finishAuth(Transport === Transport2 ? back : back.get('code'));
  must(`${label} has an opaque token`, login.saved.access_token.startsWith('oauth:'), Object.keys(login.saved));
  const client = await connect();
  const who = (await client.callTool({ name: 'get_whoami', arguments: {} })).structuredContent?.caller;
  must(`${label} is ${email}`, who?.email === email && who?.kind === 'human', who);
  // The access token is gone; the client gets another one by itself.
  const before = login.saved.access_token;
  await fetch(new URL('/cdn-cgi/access/oauth/revoke', edge), { method: 'POST', body: new URLSearchParams({ token: before }) });
  const again = (await client.callTool({ name: 'get_whoami', arguments: {} })).structuredContent?.caller;
  must(`${label} refreshes its token`, again?.email === email && login.saved.access_token !== before, again);
  await client.close();
};

await use('SDK 1', Client1, Transport1, 'none', 'grace@example.com');
await use('SDK 2', Client2, Transport2, 'client_secret_post', 'ada@example.com');

const state = await (await fetch(panel, { headers: { accept: 'application/json' } })).json();
const service = (id) => {
  const token = state.serviceTokens.find(({ clientId }) => clientId === id);
  return { 'CF-Access-Client-Id': id, 'CF-Access-Client-Secret': token.clientSecret };
};
const machine = new Client2({ name: 'job', version: '1' });
await machine.connect(new Transport2(url, { requestInit: { headers: service('emulator.access') } }));
const job = (await machine.callTool({ name: 'get_whoami', arguments: {} })).structuredContent?.caller;
must('a service token calls a tool', job?.kind === 'service-token' && job?.email === 'emulator.access', job);
await machine.close();

const call = async (headers) => {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list' });
  const answer = await fetch(url, {
    method: 'POST', body, redirect: 'manual',
    headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream', ...headers },
  });
  const text = await answer.text();
  let code;
  try { code = JSON.parse(text).code; } catch { code = text.trim(); }
  return `${answer.status} ${code ?? ''}`.trim();
};
const is = async (what, headers, wanted) => {
  const got = await call(headers);
  must(`${what}: ${wanted}`, got.startsWith(wanted), got);
};
const click = async (form) => {
  const answer = await fetch(panel, { method: 'POST', body: new URLSearchParams(form), redirect: 'manual' });
  if (answer.status !== 303) throw new Error(`${JSON.stringify(form)}: ${answer.status}`);
};
await is('a wrong secret', { ...service('emulator.access'), 'CF-Access-Client-Secret': 'wrong' }, '401 Access'); // pragma: allowlist secret
await is('a service token without a policy', service('no-policy.access'), '403 Access');
await is('a service token that the server does not list', service('not-listed.access'), '401 MCP-AUTH-015');
const good = service('emulator.access');
for (const [fault, code] of [
  ['expired', '010'], ['wrong-audience', '013'], ['other-team', '012'], ['unknown-key', '008'], ['wrong-signature', '009'], ['no-assertion', '001'],
]) {
  await click({ fault });
  await is(fault, good, `401 MCP-AUTH-${code}`);
}
await click({ fault: 'none' });
await click({ 'key-server': 'off' });
await is('key server down, keys known', good, '200');
await click({ keys: 'rotate' });
// The server asks for keys that it does not know each 30 seconds at most.
const until = async (what, wanted) => {
  const patient = Date.now() + 90_000;
  for (let got = ''; !got.startsWith(wanted); got = await call(good)) {
    if (Date.now() > patient) throw new Error(`${what}: ${got} and never ${wanted}`);
    await new Promise((done) => setTimeout(done, 300));
  }
  said.push(what);
};
await until('key server down, a new key', '503 MCP-AUTH-017');
await click({ 'key-server': 'on' });
await until('the key server is back', '200');
await click({ keys: 'retire' });
await is('rotated keys', good, '200');
await click({ 'managed-oauth': 'off' });
await is('Managed OAuth off', {}, '302');
await click({ 'managed-oauth': 'on' });
const page = await (await fetch(panel, { headers: { accept: 'text/html' } })).text();
must('the page has a button for each', (page.match(/<button/g) ?? []).length >= 12, page.length);

const log = readFileSync(logFile, 'utf8');
for (const reason of [
  'no credentials', 'unknown key id', 'invalid signature', 'jwt expired', 'issuer mismatch', 'audience mismatch',
  'service token not allowed', 'key server unreachable',
]) must(`the log says ${reason}`, log.includes(reason), reason);
must('no token is in the log', !log.includes('oauth:') && !state.serviceTokens.some(({ clientSecret }) => log.includes(clientSecret)), '');
console.log(`Access emulator: ${said.length} hold, two OAuth clients, service tokens, faults and keys`);
process.exit(0);
