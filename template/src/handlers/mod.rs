//! What answers: the MCP tools{% if example == "coda" and legacy_proxy == "on" %}, and requests of the older proxy{% endif %}.

{% if example == "coda" and legacy_proxy == "on" -%}
pub mod legacy_proxy;
{% endif -%}
pub mod tools;
