// Tokens of the same provider that are none for the server: each is refused, with the right code.
// node refusals.mjs PROVIDER JWT_SERVER OPAQUE_SERVER prints one line for each.
import { createHash, randomBytes } from 'node:crypto';
import { REDIRECT, visit } from './visit.mjs';

const [issuer, jwt, opaque] = process.argv.slice(2);
const metadata = await (await fetch(`${issuer}/.well-known/openid-configuration`)).json();
const post = (url, form, headers = {}) => fetch(url, { method: 'POST', body: new URLSearchParams(form), headers });

const register = async (client_name) => {
  const body = JSON.stringify({
    client_name, redirect_uris: [REDIRECT], token_endpoint_auth_method: 'none',
    grant_types: ['authorization_code', 'refresh_token'], response_types: ['code'],
  });
  const response = await fetch(metadata.registration_endpoint, { method: 'POST', body, headers: { 'content-type': 'application/json' } });
  return (await response.json()).client_id;
};
const ours = await register('refusals');

// Authorization code with PKCE, by hand.
const login = async (client_id, resource, scope) => {
  const verifier = randomBytes(32).toString('base64url');
  const url = new URL(metadata.authorization_endpoint);
  url.search = new URLSearchParams({
    client_id, redirect_uri: REDIRECT, response_type: 'code', scope, resource, state: 's', prompt: 'consent',
    code_challenge: createHash('sha256').update(verifier).digest('base64url'), code_challenge_method: 'S256',
  });
  const code = (await visit(url)).get('code');
  const response = await post(metadata.token_endpoint, {
    grant_type: 'authorization_code', code, redirect_uri: REDIRECT, client_id, code_verifier: verifier, resource,
  });
  const tokens = await response.json();
  if (!tokens.access_token) throw new Error(JSON.stringify(tokens));
  return tokens;
};
const revoke = (token, client_id) => post(metadata.revocation_endpoint, { token, client_id });

const send = async (server, token) => {
  const response = await fetch(server, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'ping' }),
  });
  const text = await response.text();
  let code = '';
  try { code = JSON.parse(text).code ?? ''; } catch { /* an answer of MCP */ }
  return `${response.status} ${code}`.trim();
};
const must = (what, got, expected) => {
  if (got !== expected) throw new Error(`${what}: wanted ${expected}, got ${got}`);
  console.log(`${what}: ${got}`);
};

const all = 'openid offline_access mcp';
const good = await login(ours, jwt, all);
const opaqueGood = await login(ours, opaque, all);
must('a token for this server', await send(jwt, good.access_token), '200');
must('an opaque token for this server', await send(opaque, opaqueGood.access_token), '200');
await revoke(opaqueGood.access_token, ours);
const revoked = Date.now();

must('a token for another server', await send(jwt, (await login(ours, 'https://other.example/mcp', 'mcp')).access_token), '401 MCP-AUTH-013');
must('the token of the one server at the other', await send(opaque, good.access_token), '401 MCP-AUTH-013');
must('an opaque token for another server', await send(opaque, (await login(ours, 'https://opaque.example/mcp', 'mcp')).access_token), '401 MCP-AUTH-013');
must('an opaque token where nobody is asked', await send(jwt, opaqueGood.access_token), '401 MCP-AUTH-006');
const id = await send(jwt, good.id_token);
if (!/^401 MCP-AUTH-0(13|21)$/.test(id)) throw new Error(`an ID token: ${id}`);
console.log(`an ID token: ${id}`);
must('a refresh token', await send(opaque, good.refresh_token), '401 MCP-AUTH-013');
must('a token that the provider has signed and that has expired', await send(jwt, await (await fetch(`${issuer}/test/expired`)).text()), '401 MCP-AUTH-010');
must('a token without the scope that is required', await send(jwt, (await login(await register('other'), jwt, 'rows:read')).access_token), '403 MCP-AUTH-023');

const unused = await login(ours, opaque, all);
await revoke(unused.access_token, ours);
must('a revoked token', await send(opaque, unused.access_token), '401 MCP-AUTH-025');
const short = await login(await register('short-lived'), opaque, 'mcp');
await new Promise((resolve) => setTimeout(resolve, 2100));
must('an expired opaque token', await send(opaque, short.access_token), '401 MCP-AUTH-025');
must('a token that nobody has issued', await send(opaque, randomBytes(32).toString('base64url')), '401 MCP-AUTH-025');

let got;
for (;;) {
  got = await send(opaque, opaqueGood.access_token);
  if (got !== '200') break;
  if (Date.now() - revoked > 35_000) throw new Error('a token that was used and is revoked still passes after 35 s');
  await new Promise((resolve) => setTimeout(resolve, 500));
}
must(`a token that was used and is revoked, within ${Math.ceil((Date.now() - revoked) / 1000)} s`, got, '401 MCP-AUTH-025');
console.log(`${await (await fetch(`${issuer}/test/documents`)).text()} documents of clients were read`);
process.exit(0);
