// The TypeScript SDK's clients: version 1, and version 2 as it is by default and with automatic negotiation.
// MCP_TOKEN=... node clients.mjs URL prints one line, or throws.
import { Client as Client1 } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as Transport1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { Client as Client2, StreamableHTTPClientTransport as Transport2 } from '@modelcontextprotocol/client';

const url = new URL(process.argv[2]);
const expected = ['get_doc', 'get_whoami', 'list_docs', 'list_rows', 'list_tables'];

const connect = async (Client, Transport, token, options) => {
  const transport = new Transport(url, { requestInit: { headers: { Authorization: `Bearer ${token}` } } });
  const client = new Client({ name: 'end-to-end', version: '1' }, options);
  await client.connect(transport);
  return [client, transport];
};

const use = async (label, Client, Transport, options) => {
  const fail = (what, got) => {
    throw new Error(`${label}: ${what}: ${JSON.stringify(got).slice(0, 500)}`);
  };
  const [client, transport] = await connect(Client, Transport, process.env.MCP_TOKEN, options);
  const { tools } = await client.listTools();
  const names = tools.map((tool) => tool.name).sort();
  if (names.join() !== expected.join()) fail('other tools', names);
  // The client holds structured content against the tool's output schema.
  const who = await client.callTool({ name: 'get_whoami', arguments: {} });
  if (who.isError || who.structuredContent?.caller?.kind !== 'developer') fail('get_whoami', who);
  const docs = await client.callTool({ name: 'list_docs', arguments: { limit: 1 } });
  if (docs.isError || docs.structuredContent?.items?.length !== 1) fail('list_docs', docs);
  let refused;
  try {
    refused = (await client.callTool({ name: 'no_such_tool', arguments: {} })).isError === true;
  } catch {
    refused = true;
  }
  if (!refused) fail('an unknown tool was not refused', refused);
  await client.close();
  let stranger;
  try {
    await connect(Client, Transport, 'wrong-token-0123456789', options);
    stranger = 'let in';
  } catch {
    stranger = 'refused';
  }
  if (stranger !== 'refused') fail('a wrong token', stranger);
  return `${label} ${client.getNegotiatedProtocolVersion?.() ?? transport.protocolVersion}`;
};

const lines = [
  await use('SDK 1', Client1, Transport1),
  await use('SDK 2', Client2, Transport2),
  await use('SDK 2 auto', Client2, Transport2, { versionNegotiation: { mode: 'auto' } }),
];
console.log(`TypeScript clients: ${lines.join(', ')}`);
process.exit(0);
