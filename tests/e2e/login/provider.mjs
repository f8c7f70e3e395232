// An authorization server for the tests: oidc-provider, which is certified, with a person who logs in and consents at once.
// node provider.mjs PORT JWT_RESOURCE OPAQUE_RESOURCE prints where it listens. Clients register (RFC 7591) or are found by their
// metadata document (CIMD); tokens are for a resource (RFC 8707), by which they are a JWT or opaque.
import { generateKeyPairSync, createPrivateKey } from 'node:crypto';
import { createServer } from 'node:http';
import { json } from 'node:stream/consumers';
import { SignJWT } from 'jose';
import { Provider, errors } from 'oidc-provider';

const [port, jwtResource, opaqueResource] = process.argv.slice(2);
const issuer = `http://127.0.0.1:${port}`;
const key = (type, options, alg) => {
  const { privateKey } = generateKeyPairSync(type, options);
  return { ...privateKey.export({ format: 'jwk' }), kid: alg.toLowerCase(), alg, use: 'sig' };
};
const keys = [key('ec', { namedCurve: 'P-256' }, 'ES256'), key('rsa', { modulusLength: 2048 }, 'RS256')];
const scope = 'mcp rows:read';
const resources = {
  [jwtResource]: 'jwt',
  [opaqueResource]: 'opaque',
  // Other servers of the same provider, with whose tokens nobody may come to ours.
  'https://other.example/mcp': 'jwt',
  'https://opaque.example/mcp': 'opaque',
};

// The metadata document of a client, at its id. Nothing is fetched from the network: the provider asks here.
const CIMD = 'https://client.example/oauth.json';
const document = {
  client_id: CIMD,
  client_name: 'A client with a document',
  redirect_uris: ['http://127.0.0.1:7/callback'],
  grant_types: ['authorization_code'],
  response_types: ['code'],
  token_endpoint_auth_method: 'none',
};
let documents = 0;

const provider = new Provider(issuer, {
  jwks: { keys },
  cookies: { keys: ['of-the-test'] },
  scopes: ['openid', 'offline_access', ...scope.split(' ')],
  claims: { openid: ['sub'], email: ['email'] },
  clients: [
    {
      client_id: process.env.INTROSPECTION_ID,
      client_secret: process.env.INTROSPECTION_SECRET,
      redirect_uris: [],
      response_types: [],
      grant_types: [],
      token_endpoint_auth_method: 'client_secret_basic',
    },
  ],
  pkce: { required: () => true },
  findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, email: `${id}@example.com` }) }),
  extraTokenClaims: (_, token) => ({ email: `${token.accountId}@example.com`, roles: ['reader'] }),
  interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
  ttl: { AccessToken: (_, token, client) => (client.clientName === 'short-lived' ? 1 : 600), Grant: 600, IdToken: 600, Interaction: 60, Session: 600 },
  features: {
    devInteractions: { enabled: false },
    registration: { enabled: true },
    clientIdMetadataDocument: { enabled: true, ack: 'draft-02' },
    introspection: { enabled: true },
    revocation: { enabled: true },
    resourceIndicators: {
      enabled: true,
      useGrantedResource: () => true,
      getResourceServerInfo: (_, resource) => {
        const accessTokenFormat = resources[resource];
        if (!accessTokenFormat) throw new errors.InvalidTarget();
        return { scope, audience: resource, accessTokenFormat, jwt: { sign: { alg: 'ES256' } } };
      },
    },
  },
  fetch: async (url, options) => {
    if (String(url) !== CIMD) return fetch(url, options);
    documents += 1;
    return Response.json(document, { headers: { 'cache-control': 'max-age=60' } });
  },
});
provider.on('server_error', (_, error) => console.error(error));

// Who comes here is logged in, and agrees.
const interact = async (request, response) => {
  const { prompt, params, session, grantId } = await provider.interactionDetails(request, response);
  if (prompt.name === 'login') {
    return provider.interactionFinished(request, response, { login: { accountId: 'alice' } });
  }
  const grant = grantId
    ? await provider.Grant.find(grantId)
    : new provider.Grant({ accountId: session.accountId, clientId: params.client_id });
  const { missingOIDCScope, missingResourceScopes } = prompt.details;
  if (missingOIDCScope) grant.addOIDCScope(missingOIDCScope.join(' '));
  for (const [resource, scopes] of Object.entries(missingResourceScopes ?? {})) {
    grant.addResourceScope(resource, scopes.join(' '));
  }
  return provider.interactionFinished(request, response, { consent: { grantId: await grant.save() } });
};

// What no provider gives out: a token of its own key whose time is over, or that says `none`.
const made = async (claims) => {
  const now = Math.floor(Date.now() / 1000);
  const all = {
    iss: issuer, sub: 'alice', aud: jwtResource, client_id: 'test', scope, iat: now - 7200, exp: now - 3600, ...claims,
  };
  const signer = createPrivateKey({ key: keys[0], format: 'jwk' });
  return new SignJWT(all).setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid: keys[0].kid }).sign(signer);
};

const callback = provider.callback();
createServer((request, response) => {
  const end = (text) => response.end(String(text));
  if (request.url.startsWith('/interaction/')) {
    interact(request, response).catch((error) => {
      console.error(error);
      response.statusCode = 500;
      response.end();
    });
  } else if (request.url === '/test/expired') {
    made({}).then(end);
  } else if (request.url === '/test/documents') {
    end(documents);
  } else if (request.method === 'POST' && request.url === '/reg') {
    // The SDKs register with the scope of the first challenge, and this provider would hold them to it: no step-up after that.
    json(request).then((body) => {
      delete body.scope;
      request.body = body;
      callback(request, response);
    });
  } else {
    callback(request, response);
  }
}).listen(Number(port), '127.0.0.1', () => console.log(`listening on ${issuer} `));
