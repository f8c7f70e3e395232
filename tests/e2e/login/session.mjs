// What an OAuth client of the TypeScript SDK, version 1 or 2, keeps of a login, in memory.
export class Session {
  constructor(metadata) { this.metadata = metadata; }
  get redirectUrl() { return this.metadata.redirect_uris[0]; }
  get clientMetadata() { return { client_name: 'end-to-end', response_types: ['code'], ...this.metadata }; }
  clientInformation() { return this.information; }
  saveClientInformation(information) { this.information = information; }
  tokens() { return this.saved; }
  saveTokens(tokens) { this.saved = tokens; }
  saveCodeVerifier(verifier) { this.verifier = verifier; }
  codeVerifier() { return this.verifier; }
  redirectToAuthorization(address) { this.address = address; }
}
