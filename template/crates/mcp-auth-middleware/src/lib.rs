//! Who is calling, and with what may the server act: authentication for MCP servers as a [`tower_layer::Layer`].
//!
//! A request that passes carries two separate things in its extensions:
//!
//! - [`User`]: who is calling, established by a Cloudflare Access token or by a Bearer token;
//! - [`ServiceToken`]: what the server itself uses against its upstream API, from the token store. It never derives
//!   from the caller's credential, and the caller's credential is never sent upstream.
//!
//! ```
//! use axum::{Extension, Router, routing::get};
//! use mcp_auth_middleware::{AuthConfig, AuthMode, BearerTokens, User, create_auth_middleware};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let bearer = BearerTokens::parse("kei4ahGhee8eecu0quoh5Ohn")?;
//! let config = AuthConfig::new("my-server", AuthMode::Bearer).with_bearer(bearer);
//! let app: Router = Router::new()
//!     .route("/who", get(|Extension(user): Extension<User>| async move { user.email }))
//!     .layer(create_auth_middleware(config)?);
//! # Ok(()) }
//! ```
//!
//! Data flows through the modules in this order: `layer` takes the headers, `bearer` or `cloudflare` establish the
//! [`User`], `store` resolves the [`ServiceToken`], and every refusal is an [`AuthError`] with a stable code.

mod bearer;
mod cloudflare;
mod config;
mod error;
mod identity;
mod layer;
mod printable;
mod store;
#[cfg(feature = "testing")]
pub mod testing;

pub use bearer::{BearerTokens, WeakToken, validate_bearer_token};
pub use cloudflare::{
    AccessConfig, AccessConfigError, AccessValidator, KeyPolicy, KeyStatus, validate_cloudflare_access_jwt,
};
pub use config::{AuthConfig, AuthMode, ConfigError, ParseModeError};
pub use error::AuthError;
pub use identity::{ServiceToken, User, UserKind};
pub use layer::{AuthCounters, AuthLayer, AuthService, create_auth_middleware};
pub use store::{EnvTokenStore, TokenStore};
