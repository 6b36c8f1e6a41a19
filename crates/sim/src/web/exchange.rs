//! What is asked of a web server, and what it answers.

use serde_json::Value;

use crate::world::World;

use super::Page;

/// A request, as a server sees it.
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) body: String,
}

/// A response.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) content_type: &'static str,
    /// What else the head says.
    pub(crate) headers: &'static str,
    pub(crate) body: String,
}

/// What a server does with a request.
pub(crate) enum Served {
    /// It answers.
    Now(Response),
    /// The answer comes when a condition holds, or after a number of seconds; then `late` makes it.
    When { seconds: u64, holds: Answers, late: Answers },
}

/// What a server answers, as soon as it can.
pub(crate) type Answers = Box<dyn FnMut(&mut World) -> Option<Response> + Send>;

impl Request {
    /// A parameter of the query.
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Whether a parameter is there and not `false`.
    pub(crate) fn flag(&self, name: &str) -> bool {
        self.parameter(name).is_some_and(|value| value != "false")
    }
}

impl Response {
    pub(crate) fn json(status: u16, value: &Value) -> Self {
        Self { status, content_type: "application/json; charset=UTF-8", headers: "", body: value.to_string() }
    }

    pub(crate) fn text(status: u16, body: String) -> Self {
        Self { status, content_type: "text/plain; charset=UTF-8", headers: "", body }
    }

    pub(crate) fn page(page: Page, headers: &'static str) -> Self {
        Self { status: page.status, content_type: "text/html; charset=UTF-8", headers, body: page.body }
    }

    pub(crate) fn reason(&self) -> &'static str {
        match self.status {
            200 => "OK",
            202 => "Accepted",
            400 => "Bad Request",
            401 => "Unauthorized",
            404 => "Not Found",
            405 => "Method Not Allowed",
            408 => "Request Timeout",
            409 => "Conflict",
            422 => "Unprocessable Entity",
            429 => "Too Many Requests",
            500 => "Internal Server Error",
            502 => "Bad Gateway",
            503 => "Service Unavailable",
            _ => "Unknown",
        }
    }
}
