//! The issuers of access tokens: one by variables, several by a file.

use std::path::{Path, PathBuf};

use mcp_auth_middleware::{Algorithm, IntrospectedTokens, IntrospectionConfig, OidcConfig, OidcConfigError};
use secrecy::{ExposeSecret as _, SecretString};

use super::{PublicUrl, Reader};
use crate::handlers::metadata::RESOURCE;
use crate::secret_files::{self, SecretFiles};

/// The secret with which an issuer of the file is asked about tokens, and the file that it came from.
#[derive(Debug, Clone)]
pub(super) struct IssuerSecret {
    asking: IntrospectionConfig,
    path: PathBuf,
    secret: SecretString,
}

impl IssuerSecret {
    /// Asks with what is in the file from now on, too.
    pub(super) fn follow(&self, files: &mut SecretFiles) {
        let asking = self.asking.clone();
        let take = move |secret| {
            asking.set_client_secret(secret);
            Ok(())
        };
        files.watch("OIDC_ISSUERS", &self.path, self.secret.clone(), take);
    }
}

impl Reader<'_> {
    /// The issuer of `OIDC_ISSUER` and those of `OIDC_ISSUERS_FILE`, with the secrets that the latter name.
    pub(super) fn oidc(&mut self) -> (Vec<OidcConfig>, Vec<IssuerSecret>) {
        let audiences = self.audiences();
        let asking = self.introspection();
        let mut issuers: Vec<_> = self.issuer(&audiences).into_iter().collect();
        match (issuers.pop(), asking) {
            (Some(issuer), Some(asking)) => issuers.push(issuer.with_introspection(asking)),
            (None, Some(_)) if self.env.text("OIDC_ISSUER").is_none() => {
                self.problems.add("OIDC_INTROSPECTION_CLIENT_ID", "is set without OIDC_ISSUER, the issuer to be asked");
            }
            (issuer, _) => issuers.extend(issuer),
        }
        let (of_file, secrets) = self.issuers_of_file(&audiences);
        issuers.extend(of_file);
        let mut names: Vec<_> = issuers.iter().map(|issuer| issuer.issuer().to_owned()).collect();
        names.sort_unstable();
        if let Some(pair) = names.windows(2).find(|pair| pair[0] == pair[1]) {
            let text = format!("has {:?} twice, or OIDC_ISSUER has it as well", pair[0]);
            self.problems.add("OIDC_ISSUERS_FILE", text);
        }
        if issuers.iter().filter(|issuer| issuer.asks_about_opaque_tokens()).count() > 1 {
            let text = "has an issuer that is to be asked about tokens that are no JWT, beside another one: \
                        such a token does not say which of them; \"introspect\": \"jwt\" asks about the others alone";
            self.problems.add("OIDC_ISSUERS_FILE", text);
        }
        let max_token_age = self.seconds("MAX_TOKEN_AGE");
        let (emails, domains) = (self.list("ALLOWED_EMAILS"), self.list("ALLOWED_EMAIL_DOMAINS"));
        let finish = |issuer: OidcConfig| {
            issuer.with_max_token_age(max_token_age).with_allowed_emails(&emails).with_allowed_domains(&domains)
        };
        (issuers.into_iter().map(finish).collect(), secrets)
    }

    /// A setting of an issuer that is set for nothing.
    pub(super) fn unused_issuer(&self) -> Option<&'static str> {
        let takes = self.env.text("AUTH_MODE").is_some_and(|mode| mode.to_ascii_lowercase().contains("oidc"));
        ["OIDC_ISSUER", "OIDC_ISSUERS_FILE"].into_iter().find(|name| !takes && self.env.text(name).is_some())
    }

    /// Returns the audiences of tokens for this server: by default its own address (RFC 8707).
    fn audiences(&self) -> Vec<String> {
        let given = self.list("OIDC_AUDIENCE");
        if !given.is_empty() {
            return given;
        }
        let public = self.env.text("PUBLIC_URL").and_then(|text| PublicUrl::parse(&text));
        public.map(|url| format!("{}{RESOURCE}", url.base)).into_iter().collect()
    }

    fn issuer(&mut self, audiences: &[String]) -> Option<OidcConfig> {
        let issuer = self.env.text("OIDC_ISSUER")?;
        let config = match OidcConfig::new(&issuer, audiences) {
            Ok(config) => config,
            Err(OidcConfigError::Audience) => {
                let text = "is missing, and so is PUBLIC_URL, from which it would follow: \
                            what the issuer's tokens for this server have in aud";
                self.problems.add("OIDC_AUDIENCE", text);
                return None;
            }
            Err(error) => {
                self.problems.add("OIDC_ISSUER", error.to_string());
                return None;
            }
        };
        let config = config
            .with_algorithms(self.algorithms())
            .map_err(|error| self.problems.add("OIDC_ALGORITHMS", error.to_string()))
            .ok()?;
        let scopes = self.list("OIDC_REQUIRED_SCOPES");
        let scopes = scopes.iter().flat_map(|scope| scope.split_ascii_whitespace());
        let claim = |name: &str, default: &str| self.env.text(name).unwrap_or_else(|| default.to_owned());
        Some(
            config
                .with_required_scopes(scopes)
                .with_audience_claim(claim("OIDC_AUDIENCE_CLAIM", "aud"))
                .with_email_claim(claim("OIDC_EMAIL_CLAIM", "email"))
                .with_roles_claim(claim("OIDC_ROLES_CLAIM", "roles")),
        )
    }

    /// As whom the issuer is asked about opaque tokens, where it is.
    fn introspection(&mut self) -> Option<IntrospectionConfig> {
        const ID: &str = "OIDC_INTROSPECTION_CLIENT_ID";
        let (id, secret) = (self.env.text(ID), self.secret("OIDC_INTROSPECTION_CLIENT_SECRET"));
        let url = self.env.text("OIDC_INTROSPECTION_URL");
        let tokens = match self.env.text("OIDC_INTROSPECT").map(|text| text.parse::<IntrospectedTokens>()) {
            None => IntrospectedTokens::default(),
            Some(Ok(tokens)) => tokens,
            Some(Err(error)) => {
                self.problems.add("OIDC_INTROSPECT", error.to_string());
                return None;
            }
        };
        let config = match (id, secret) {
            (Some(id), Some(secret)) => IntrospectionConfig::new(id, secret).about(tokens),
            (Some(_), None) => {
                let text = "is missing: the secret of the client OIDC_INTROSPECTION_CLIENT_ID";
                self.problems.add("OIDC_INTROSPECTION_CLIENT_SECRET", text);
                return None;
            }
            (None, None) if url.is_none() && tokens == IntrospectedTokens::default() => return None,
            (None, _) => {
                self.problems.add(ID, "is missing: the client as whom OIDC_ISSUER is asked");
                return None;
            }
        };
        match url {
            None => Some(config),
            Some(url) => config
                .with_url(&url)
                .map_err(|error| self.problems.add("OIDC_INTROSPECTION_URL", error.to_string()))
                .ok(),
        }
    }

    fn algorithms(&mut self) -> Vec<Algorithm> {
        let mut algorithms = Vec::new();
        let names = self.list("OIDC_ALGORITHMS");
        for name in &names {
            match name.parse::<Algorithm>() {
                Ok(algorithm) => algorithms.push(algorithm),
                Err(error) => self.problems.add("OIDC_ALGORITHMS", error.to_string()),
            }
        }
        if algorithms.is_empty() { Algorithm::DEFAULT.to_vec() } else { algorithms }
    }

    fn issuers_of_file(&mut self, audiences: &[String]) -> (Vec<OidcConfig>, Vec<IssuerSecret>) {
        const NAME: &str = "OIDC_ISSUERS_FILE";
        let Some(path) = self.env.text(NAME) else { return Default::default() };
        // As secrets are read: of a bounded size, and text.
        let text = match secret_files::read(Path::new(&path)) {
            Ok(text) => text,
            Err(problem) => {
                self.problems.add(NAME, format!("the file {path}: {problem}"));
                return Default::default();
            }
        };
        let mut files = Vec::new();
        let read = |path: &str| {
            let secret = secret_files::read(Path::new(path))?;
            files.push((PathBuf::from(path), secret.clone()));
            Ok(secret)
        };
        let issuers = OidcConfig::from_json(text.expose_secret(), audiences, read).unwrap_or_else(|error| {
            self.problems.add(NAME, format!("the file {path}: {error}"));
            Vec::new()
        });
        let asking = issuers.iter().filter_map(OidcConfig::introspection).cloned();
        let secrets = asking.zip(files).map(|(asking, (path, secret))| IssuerSecret { asking, path, secret }).collect();
        (issuers, secrets)
    }
}
