//! Who is calling, and with what may the server act: authentication for MCP servers as a [`tower_layer::Layer`].
//!
//! A request that passes carries two separate things in its extensions:
//!
//! - [`User`]: who is calling, established by a Cloudflare Access token, an access token of another issuer (OAuth 2.0,
//!   OpenID Connect), or a Bearer token for development;
//! - [`ServiceToken`]: what the server itself uses against its upstream API, from the token store. It never derives
//!   from the caller's credential, and the caller's credential is never sent upstream.
//!
//! A whole server, with a Bearer token for development:
//!
//! ```no_run
//! use axum::{Extension, Router, routing::get};
//! use mcp_auth_middleware::{AuthConfig, AuthMode, BearerTokens, User, create_auth_middleware};
//!
//! #[tokio::main]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let tokens = BearerTokens::parse(&std::env::var("MCP_DEV_BEARER_TOKEN")?)?;
//!     let config = AuthConfig::new("my-server", AuthMode::Bearer).with_bearer(tokens);
//!     let app = Router::new()
//!         .route("/who", get(|Extension(user): Extension<User>| async move { user.email }))
//!         .layer(create_auth_middleware(config)?);
//!
//!     let listener = tokio::net::TcpListener::bind("127.0.0.1:8080").await?;
//!     axum::serve(listener, app).await?;
//!     Ok(())
//! }
//! ```
//!
//! Cloudflare Access instead of it:
//!
//! ```
//! use mcp_auth_middleware::{AccessConfig, AuthConfig, AuthLayer, AuthMode, create_auth_middleware};
//!
//! /// To be called inside of a tokio runtime.
//! fn access(team_domain: &str, audience: &str) -> Result<AuthLayer, Box<dyn std::error::Error>> {
//!     let access = AccessConfig::new(team_domain, [audience])?.with_allowed_domains(["example.com"]);
//!     let layer = create_auth_middleware(AuthConfig::new("my-server", AuthMode::Cloudflare).with_cloudflare(access))?;
//!     // Has the keys before the first request comes, and keeps them fresh.
//!     tokio::spawn(layer.clone().keep_keys_fresh());
//!     Ok(layer)
//! }
//! # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
//! # assert!(access("https://team.cloudflareaccess.com", "tag").is_ok());
//! # });
//! ```
//!
//! Any other issuer of access tokens:
//!
//! ```
//! use mcp_auth_middleware::{AuthConfig, AuthLayer, AuthMode, OidcConfig, create_auth_middleware};
//!
//! /// To be called inside of a tokio runtime.
//! fn issuer() -> Result<AuthLayer, Box<dyn std::error::Error>> {
//!     let issuer = OidcConfig::new("https://login.example.com/realms/staff", ["https://mcp.example.com/mcp"])?;
//!     let layer = create_auth_middleware(AuthConfig::new("my-server", AuthMode::Oidc).with_oidc(issuer))?;
//!     tokio::spawn(layer.clone().keep_keys_fresh());
//!     Ok(layer)
//! }
//! # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
//! # assert!(issuer().is_ok());
//! # });
//! ```
//!
//! An issuer whose tokens are opaque is asked about them:
//!
//! ```
//! use mcp_auth_middleware::{IntrospectionConfig, OidcConfig};
//!
//! fn asking(issuer: OidcConfig, secret: String) -> OidcConfig {
//!     issuer.with_introspection(IntrospectionConfig::new("mcp-server", secret.into()))
//! }
//! ```
//!
//! The server's own token:
//!
//! ```
//! use axum::Extension;
//! use mcp_auth_middleware::{AuthConfig, EnvTokenStore, ServiceToken, TokenStore};
//!
//! fn with_upstream(config: AuthConfig, secret: String) -> AuthConfig {
//!     let store = EnvTokenStore::default().with_token("UPSTREAM_TOKEN", secret.into());
//!     config.with_service_token(TokenStore::Env(store), "UPSTREAM_TOKEN")
//! }
//!
//! async fn handler(Extension(token): Extension<ServiceToken>) {
//!     let _authorization = format!("Bearer {}", token.expose()); // for a request to the upstream API
//! }
//! ```
//!
//! Data flows through the modules in this order: `layer` takes the headers, `bearer`, `cloudflare` or `oidc` establish
//! the [`User`] (the latter two by `jwt`), `store` resolves the [`ServiceToken`], and every refusal is an [`AuthError`] with a stable code.

mod allowed;
mod bearer;
#[cfg(feature = "cli")]
pub mod cli;
mod cloudflare;
mod config;
#[cfg(feature = "encryption")]
pub mod encryption;
mod error;
mod identity;
mod jwt;
mod layer;
mod oidc;
mod printable;
mod refusal;
mod store;
#[cfg(feature = "testing")]
pub mod testing;

pub use bearer::{BearerTokens, WeakToken, validate_bearer_token};
pub use cloudflare::{AccessConfig, AccessConfigError, AccessValidator, validate_cloudflare_access_jwt};
pub use config::{AuthConfig, AuthMethods, AuthMode, ConfigError, ParseModeError};
pub use error::AuthError;
pub use identity::{Grant, ServiceToken, User, UserKind};
pub use jwt::{Algorithm, KeyPolicy, KeyStatus, ParseAlgorithmError};
pub use layer::{AuthCounters, AuthLayer, AuthService, ServiceTokens, create_auth_middleware, origin_of};
pub use oidc::{
    IntrospectedTokens, IntrospectionConfig, IntrospectionPolicy, IssuersFileError, OidcConfig, OidcConfigError,
    OidcValidator, ParseIntrospectedTokensError, validate_access_token,
};
#[cfg(any(feature = "infisical", feature = "vault"))]
pub use store::SecretSource;
#[cfg(feature = "postgres")]
pub use store::{
    AuditFault, AuditHash, AuditHead, AuditReport, AuditRow, InitReport, Inspection, ParseAuditHashError, PoolStatus,
    PostgresConfig, PostgresConfigError, PostgresTls, PostgresTokenStore, Rotation, ServerRole, StoredTokens,
    TokenChange, TokenChanges, ToolCallRecord, UnreadableToken,
};
pub use store::{EnvTokenStore, StoreError, TokenInfo, TokenStore};
#[cfg(feature = "infisical")]
pub use store::{InfisicalConfig, InfisicalConfigError, InfisicalIdentity, InfisicalTokenStore};
#[cfg(all(feature = "vault", feature = "encryption"))]
pub use store::{TransitConfig, TransitError, TransitKeyProvider, TransitVersions, WrappedKey};
#[cfg(feature = "vault")]
pub use store::{VaultConfig, VaultConfigError, VaultInspection, VaultLogin, VaultTokenStore};
