//! One SSH connection to a simulated machine: logins, sessions, and forwarding to its neighbours.

use std::sync::Arc;

use russh::keys::Certificate;
use russh::server::{Auth, ChannelOpenHandle, Handle, Handler, Msg, Session, VerifiedPublicKey};
use russh::{Channel, ChannelMsg, ChannelOpenFailure};

use super::fault::Fault;
use super::link::Link;
use super::{Environment, SSH_PORT, Site, session};
use crate::dns;
use crate::dns::server::DNS_PORT;
use crate::shell::Login;
use crate::shell::pipe::pipe_of;
use crate::sshd::stream::Stream;
use crate::web::public::PublicPort;
use jumpdeck_fleet::names::HostName;

/// The server's side of one connection.
pub(crate) struct Door {
    environment: Arc<Environment>,
    site: Arc<Site>,
    user: String,
}

/// What a forwarded channel leads to.
enum FarEnd {
    /// The SSH server of a machine.
    Machine(HostName),
    /// What takes connections at a public address.
    Public(PublicPort),
    /// The environment's name server.
    Names,
}

/// Serves one connection until it ends.
pub(crate) async fn serve(environment: Arc<Environment>, host: &HostName, stream: impl Stream) {
    let Some(site) = environment.site(host) else { return };
    let Some(power_cut) = environment.power_cut(host) else { return };
    let link = Link::new(stream, Arc::clone(&site.switch));
    let config = site.config();
    let power_cut = power_cut.notified();
    let door = Door { environment, site: Arc::clone(&site), user: String::new() };
    // How a connection ends concerns its client only.
    if let Ok(running) = russh::server::run_stream(config, link, door).await {
        tokio::select! {
            _ended = running => {}
            () = power_cut => site.switch.drop_connections(),
        }
    }
}

impl Door {
    fn login(&mut self, user: &str) -> Auth {
        let lets_in = self.environment.lock().lets_in(&self.site.machine.host, user);
        if !lets_in || self.site.switch.fault() == Some(Fault::AuthFail) {
            return Auth::reject();
        }
        user.clone_into(&mut self.user);
        Auth::Accept
    }

    /// The machine that answers: another one under [`Fault::AnswersAs`].
    fn machine(&self) -> Arc<crate::shell::Machine> {
        let other = match self.site.switch.fault() {
            Some(Fault::AnswersAs(other)) => self.environment.site(&other),
            _ => None,
        };
        Arc::clone(&other.as_ref().unwrap_or(&self.site).machine)
    }
}

impl Handler for Door {
    type Error = russh::Error;

    async fn auth_none(&mut self, user: &str) -> Result<Auth, Self::Error> {
        Ok(self.login(user))
    }

    async fn auth_publickey(&mut self, user: &str, _: VerifiedPublicKey<'_>) -> Result<Auth, Self::Error> {
        Ok(self.login(user))
    }

    async fn auth_openssh_certificate(&mut self, user: &str, _: &Certificate) -> Result<Auth, Self::Error> {
        Ok(self.login(user))
    }

    async fn authentication_banner(&mut self) -> Result<Option<String>, Self::Error> {
        let is_jump = self.site.machine.host == self.environment.jump;
        Ok(is_jump.then(|| self.environment.banner().to_owned()))
    }

    async fn channel_open_session(
        &mut self,
        channel: Channel<Msg>,
        reply: ChannelOpenHandle,
        session: &mut Session,
    ) -> Result<(), Self::Error> {
        let login = Login { machine: self.machine(), user: self.user.clone(), environment: Vec::new() };
        let switch = Arc::clone(&self.site.switch);
        reply.accept().await;
        tokio::spawn(session::run(channel, session.handle(), login, switch));
        Ok(())
    }

    async fn channel_open_direct_tcpip(
        &mut self,
        channel: Channel<Msg>,
        host_to_connect: &str,
        port_to_connect: u32,
        _: &str,
        _: u32,
        reply: ChannelOpenHandle,
        session: &mut Session,
    ) -> Result<(), Self::Error> {
        let port = u16::try_from(port_to_connect).unwrap_or_default();
        if let Some(open) = self.environment.public_port(host_to_connect, port) {
            reply.accept().await;
            let (environment, handle) = (Arc::clone(&self.environment), session.handle());
            tokio::spawn(forward(channel, handle, environment, FarEnd::Public(open)));
            return Ok(());
        }
        if port == DNS_PORT
            && self.environment.lock().name_server_takes(&self.site.machine.host, host_to_connect)
        {
            reply.accept().await;
            let (environment, handle) = (Arc::clone(&self.environment), session.handle());
            tokio::spawn(forward(channel, handle, environment, FarEnd::Names));
            return Ok(());
        }
        let target = if matches!(host_to_connect, "localhost" | "127.0.0.1" | "::1") {
            Some(self.site.machine.host.clone())
        } else {
            self.environment.resolve(host_to_connect)
        };
        let target = target
            .filter(|_| port_to_connect == u32::from(SSH_PORT))
            .filter(|host| self.environment.listens(host));
        let Some(target) = target else {
            reply.reject(ChannelOpenFailure::ConnectFailed).await;
            return Ok(());
        };
        reply.accept().await;
        let environment = Arc::clone(&self.environment);
        let handle = session.handle();
        tokio::spawn(forward(channel, handle, environment, FarEnd::Machine(target)));
        Ok(())
    }
}

/// Connects a forwarded channel to what serves it until one of them ends. The channel is always drained: were it full, it
/// would hold up every other channel of the connection, and a silent machine must not do that.
async fn forward(channel: Channel<Msg>, handle: Handle, environment: Arc<Environment>, to: FarEnd) {
    let id = channel.id();
    let (mut from_client, to_client) = channel.split();
    let (writer, reader) = pipe_of(usize::MAX);
    let drain = async move {
        while let Some(message) = from_client.wait().await {
            match message {
                ChannelMsg::Data { data } if !writer.put_now(&data) => return,
                ChannelMsg::Eof | ChannelMsg::Close => return,
                _ => {}
            }
        }
    };
    let stream = tokio::io::join(reader, to_client.make_writer());
    tokio::join!(drain, async {
        match to {
            FarEnd::Machine(host) => serve(environment, &host, stream).await,
            FarEnd::Public(open) => environment.serve_public(open, stream).await,
            FarEnd::Names => {
                let answers = |question: &[u8]| environment.lock().gdnsd_answers(question);
                dns::server::serve(stream, answers).await;
            }
        }
        // The far end has gone: so has what was forwarded to it.
        let _gone = handle.close(id).await;
    });
}
