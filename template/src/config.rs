//! This server's own settings, as rows of the table that has all of them. A new setting is a row here, and its use.
//!
//! The command `config --format env` prints the `.env.example` for it, and a test holds that file to the table.

use mcp_server_runtime::Setting;

/// The rows.
{% if example == "coda" -%}
pub const SETTINGS: &[Setting] = &[
{%- comment %} region: setting {% endcomment %}
    Setting::token(
        "CODA_API_TOKEN",
        "https://coda.io/account/settings/api",
        "The Coda API",
        "The Coda API token with which the server calls Coda. Callers never see it, and never need one of their own.",
    ),
{%- comment %} end: setting {% endcomment %}
    Setting::url(
        "CODA_API_BASE",
        Some("https://coda.io/apis/v1"),
        "The Coda API",
        "Where the Coda API is. Superhuman Docs serves the same API at https://docs.superhuman.com/apis/v1",
    ),
{%- if legacy_proxy == "on" %}
    Setting::switch(
        "LEGACY_PROXY",
        "on",
        "The Coda API",
        "Answer requests of the older proxy, {\"method\":\"GET\",\"path\":\"/docs\"}: on or off.",
    ),
{%- endif %}
];
{%- else -%}
pub const SETTINGS: &[Setting] = &[];
{%- endif %}
