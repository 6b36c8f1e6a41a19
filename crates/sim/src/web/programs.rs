//! Programs about web servers and their certificates.

pub(crate) mod curl;
pub(crate) mod openssl;
pub(crate) mod web_servers;
