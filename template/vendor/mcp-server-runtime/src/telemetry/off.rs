//! The same items without the feature `telemetry`: they do nothing and cost nothing.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};

use super::Failure;
use crate::config::TelemetryConfig;

/// Sends nothing.
#[derive(Debug, Clone, Default)]
pub struct Telemetry;

impl Telemetry {
    pub(crate) fn start(_: Option<&TelemetryConfig>) -> Result<Self, String> {
        Ok(Self)
    }

    pub(crate) fn operation(&self, _: &Parts, _: &Bytes, _: Duration) -> Option<Arc<Operation>> {
        None
    }

    pub(crate) fn set_headers(&self, _: HeaderMap) {}

    pub(crate) async fn shut_down(self, _: Duration) {}
}

/// Is never made.
#[derive(Debug)]
pub enum Operation {}

impl Operation {
    pub(crate) fn called_tool(&self, _: &str) {
        match *self {}
    }

    pub(crate) fn failed(&self, _: Failure) {
        match *self {}
    }

    pub(crate) fn answered(&self, _: StatusCode) {
        match *self {}
    }

    pub(crate) fn given_up(&self) {
        match *self {}
    }

    pub(crate) async fn scope<F: Future>(self: Arc<Self>, _: F) -> F::Output {
        match *self {}
    }
}

/// A call of an API that is not traced.
#[derive(Debug)]
pub struct UpstreamSpan(());

impl UpstreamSpan {
    /// A call that begins.
    #[must_use]
    pub fn start(_: &'static str, _: &str, _: &url::Url) -> Self {
        Self(())
    }

    /// No headers.
    #[must_use]
    pub fn headers(&self) -> HeaderMap {
        HeaderMap::new()
    }

    /// It was answered with this status.
    pub fn answered(&mut self, _: u16) {}

    /// It was not answered, for this reason: one of a few words.
    pub fn failed(&mut self, _: &'static str) {}
}
