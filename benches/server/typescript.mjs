// The tools of a generated project on the TypeScript SDK and express: stateless, JSON answers, a server for each
// request (as in the SDK's own stateless example), no authentication, no log lines.
// PORT=0 node typescript.mjs blank|coda
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import express from 'express';
import { z } from 'zod';

const callerShape = {
  email: z.string().describe("The caller's address, or the name of its service token."),
  kind: z.string().describe('human, service-token or developer.'),
};
const object = z.record(z.string(), z.any());
const items = {
  items: z.array(object).describe('The items, as Coda describes them.'),
  next_page_token: z.string().optional().describe('There when there is more: give it as `page_token` to go on.'),
};
const docId = z.string().min(1).describe('Id of the document, from `list_docs`.');
const limit = (what) => z.number().int().min(1).max(500).optional().describe(`How many ${what} at the most: 1 to 500, 25 by default.`);
const pageToken = z.string().optional().describe('`next_page_token` of an earlier answer.');

const developer = { email: 'developer@localhost', kind: 'developer' };
const structured = (value) => ({ content: [{ type: 'text', text: JSON.stringify(value) }], structuredContent: value });
const hints = (openWorldHint) => ({ readOnlyHint: true, idempotentHint: true, openWorldHint });

const examples = {
  blank(server) {
    server.registerTool(
      'get_whoami',
      { title: 'Who am I', description: 'Tells who is calling this server.', inputSchema: {}, outputSchema: callerShape, annotations: hints(false) },
      async () => structured(developer),
    );
  },
  coda(server) {
    const tool = (name, title, description, inputSchema, outputSchema, answer) =>
      server.registerTool(name, { title, description, inputSchema, outputSchema, annotations: hints(true) }, async () => structured(answer));
    tool(
      'get_whoami',
      'Who am I',
      'Tells who is calling this server, and as which Coda account the server acts.',
      {},
      {
        caller: z.object(callerShape).describe("The caller, as established by the server's authentication."),
        coda: object.describe('The Coda account that the server uses.'),
      },
      { caller: developer, coda: {} },
    );
    tool(
      'list_docs',
      'List documents',
      "Lists the Coda documents that the server's account can see, most relevant first.",
      {
        query: z.string().optional().describe('Only documents that match this search term.'),
        is_owner: z.boolean().optional().describe("Only documents that the server's account owns."),
        limit: limit('documents'),
        page_token: pageToken,
      },
      items,
      { items: [] },
    );
    tool(
      'get_doc',
      'Get a document',
      'Describes one Coda document: its name, owner, folder, workspace and size.',
      { doc_id: docId },
      z.looseObject({}),
      {},
    );
    tool(
      'list_tables',
      'List tables',
      'Lists the tables and views of a Coda document.',
      { doc_id: docId, limit: limit('tables'), page_token: pageToken },
      items,
      { items: [] },
    );
    tool(
      'list_rows',
      'List rows',
      'Lists the rows of a table of a Coda document, with their values by column name.',
      {
        doc_id: docId,
        table_id: z.string().min(1).describe('Id or name of the table, from `list_tables`. Ids are safer: names change.'),
        query: z.string().optional().describe('Only rows with a value in a column: `Column name:"value"` or `c-column-id:"value"`.'),
        limit: limit('rows'),
        page_token: pageToken,
      },
      items,
      { items: [] },
    );
  },
};

const register = examples[process.argv[2]];
const app = express();
app.use(express.json());
app.post('/mcp', async (request, response) => {
  const server = new McpServer({ name: 'typescript', version: '0.1.0' });
  register(server);
  const transport = new StreamableHTTPServerTransport({ sessionIdGenerator: undefined, enableJsonResponse: true });
  response.on('close', () => {
    transport.close();
    server.close();
  });
  await server.connect(transport);
  await transport.handleRequest(request, response, request.body);
});
app.listen(Number(process.env.PORT), '127.0.0.1');
