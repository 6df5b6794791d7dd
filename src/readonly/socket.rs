//! A connection to a database server, with an end in time: TCP, and TLS on top where it is asked for.
//!
//! A host is connected to only if the user's own configuration names it.

use std::io::{self, Read as _, Write as _};
use std::net::{TcpStream, ToSocketAddrs as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use deadstop_core::fact::GapReason;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, ClientConnection, DigitallySignedStruct, SignatureScheme, StreamOwned};
use rustls_platform_verifier::BuilderVerifierExt as _;

/// What a connection URL asks of TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tls {
    /// None.
    Never,
    /// Where the server offers it.
    Offered,
    /// Always; who the server is does not matter.
    Always,
    /// Always, and the server shows a certificate of its name.
    Verified,
}

/// Where a server is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The name or address, without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
}

impl Place {
    /// `host:port`, with the port that is usual where none is said. A socket of this machine is no such place.
    #[must_use]
    pub fn read(text: &str, usual: u16) -> Option<Self> {
        let (host, port) = match text.rsplit_once(':') {
            Some((host, port)) if with_port(text) => (host, port.parse().ok()?),
            Some(_) | None => (text, usual),
        };
        let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        let plain = |c: char| c.is_ascii_alphanumeric() || ".-_:".contains(c);
        let whole = !host.is_empty() && host.chars().all(plain) && port != 0;
        whole.then(|| Self { host: host.to_ascii_lowercase(), port })
    }

    /// Whether the user's configuration names it: as `host`, for every port, or as `host:port`.
    #[must_use]
    pub fn named_by(&self, hosts: &[String]) -> bool {
        hosts.iter().any(|named| {
            let place = Self::read(named, self.port);
            place.is_some_and(|place| if with_port(named) { place == *self } else { place.host == self.host })
        })
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

fn with_port(named: &str) -> bool {
    named.rsplit_once(':').is_some_and(|(host, _)| !host.contains(':') || host.ends_with(']'))
}

/// How long a server may take to let itself be connected to.
const CONNECT: Duration = Duration::from_secs(5);
/// How often it is looked whether to go on.
const TICK: Duration = Duration::from_millis(250);
/// The most that is read at a time.
const CHUNK: usize = 16 << 10;

enum Stream {
    Plain(TcpStream),
    Sealed(Box<StreamOwned<ClientConnection, TcpStream>>),
}

/// A connection.
pub struct Socket {
    stream: Stream,
    until: Instant,
    cancel: Arc<AtomicBool>,
    /// Whether what is sent stays on this machine.
    loopback: bool,
    /// Whether the server has shown a certificate of its name.
    verified: bool,
}

impl Socket {
    /// Connects to one of the addresses of a place.
    ///
    /// # Errors
    /// Why it is not connected to.
    pub fn connect(place: &Place, until: Instant, cancel: &Arc<AtomicBool>) -> Result<Self, GapReason> {
        let addresses = (place.host.as_str(), place.port).to_socket_addrs().map_err(|_| GapReason::Unreachable)?;
        let mut why = GapReason::Unreachable;
        for address in addresses {
            let left = until.saturating_duration_since(Instant::now()).min(CONNECT);
            if left.is_zero() || cancel.load(Ordering::SeqCst) {
                return Err(GapReason::TimedOut);
            }
            match TcpStream::connect_timeout(&address, left) {
                Ok(stream) => {
                    let set =
                        stream.set_read_timeout(Some(TICK)).and_then(|()| stream.set_write_timeout(Some(CONNECT)));
                    set.and_then(|()| stream.set_nodelay(true)).map_err(|_| GapReason::Unreachable)?;
                    let (loopback, cancel) = (address.ip().is_loopback(), Arc::clone(cancel));
                    return Ok(Self { stream: Stream::Plain(stream), until, cancel, loopback, verified: false });
                }
                Err(error) => why = reason(&error),
            }
        }
        Err(why)
    }

    /// Whether a password may go over it as it is: nobody else listens, or the server has shown who it is.
    #[must_use]
    pub const fn trusted(&self) -> bool {
        self.loopback || self.verified
    }

    /// Whether it is sealed by TLS, or does not leave this machine.
    #[must_use]
    pub const fn private(&self) -> bool {
        self.loopback || matches!(self.stream, Stream::Sealed(_))
    }

    /// Goes on by TLS.
    ///
    /// # Errors
    /// If the server cannot, or is not who it is to be.
    pub fn seal(self, host: &str, verify: bool) -> Result<Self, GapReason> {
        let Stream::Plain(stream) = self.stream else { return Ok(self) };
        let name = ServerName::try_from(host.to_owned()).map_err(|_| GapReason::Unsupported)?;
        let config = config(verify).map_err(|_| GapReason::Unsupported)?;
        let mut client = ClientConnection::new(Arc::new(config), name).map_err(|_| GapReason::Unsupported)?;
        let mut stream = stream;
        while client.is_handshaking() {
            turn(&mut client, &mut stream, (self.until, &self.cancel))?;
        }
        let stream = Stream::Sealed(Box::new(StreamOwned::new(client, stream)));
        Ok(Self { stream, verified: verify, ..self })
    }

    /// Sends all of it.
    ///
    /// # Errors
    /// If the connection is gone.
    pub fn send(&mut self, bytes: &[u8]) -> Result<(), GapReason> {
        goes_on(self.until, &self.cancel)?;
        let sent = match &mut self.stream {
            Stream::Plain(stream) => stream.write_all(bytes).and_then(|()| stream.flush()),
            Stream::Sealed(stream) => stream.write_all(bytes).and_then(|()| stream.flush()),
        };
        sent.map_err(|error| reason(&error))
    }

    /// Reads what there is, and waits for something.
    ///
    /// # Errors
    /// If nothing comes in time, or nothing more will.
    pub fn receive(&mut self, into: &mut Vec<u8>) -> Result<(), GapReason> {
        let mut chunk = [0; CHUNK];
        loop {
            goes_on(self.until, &self.cancel)?;
            let read = match &mut self.stream {
                Stream::Plain(stream) => stream.read(&mut chunk),
                Stream::Sealed(stream) => match stream.conn.reader().read(&mut chunk) {
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                        let StreamOwned { conn, sock } = stream.as_mut();
                        turn(conn, sock, (self.until, &self.cancel))?;
                        continue;
                    }
                    read => read,
                },
            };
            match read {
                Ok(0) => return Err(GapReason::Unreachable),
                Ok(read) => {
                    into.extend(chunk.iter().take(read));
                    return Ok(());
                }
                Err(error) if waits(&error) => {}
                Err(error) => return Err(reason(&error)),
            }
        }
    }

    /// Ends waiting at another moment.
    pub const fn set_until(&mut self, until: Instant) {
        self.until = until;
    }
}

/// One step of TLS: what is to be said is said, and what there is is read once. The library's own loops go on for as long
/// as something comes, be it a byte at a time.
fn turn(
    tls: &mut ClientConnection,
    stream: &mut TcpStream,
    (until, cancel): (Instant, &AtomicBool),
) -> Result<(), GapReason> {
    goes_on(until, cancel)?;
    if tls.wants_write() {
        while tls.wants_write() {
            tls.write_tls(stream).map_err(|error| reason(&error))?;
        }
        return Ok(());
    }
    match tls.read_tls(stream) {
        Ok(0) => return Err(GapReason::Unreachable),
        Ok(_) => {}
        Err(error) if waits(&error) => return Ok(()),
        Err(error) => return Err(reason(&error)),
    }
    // A certificate that is not accepted is no answer of the server's.
    let refused = if tls.is_handshaking() { GapReason::Denied } else { GapReason::Malformed };
    tls.process_new_packets().map(drop).map_err(|_| refused)
}

fn goes_on(until: Instant, cancel: &AtomicBool) -> Result<(), GapReason> {
    let over = cancel.load(Ordering::SeqCst) || Instant::now() >= until;
    if over { Err(GapReason::TimedOut) } else { Ok(()) }
}

fn waits(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut | io::ErrorKind::Interrupted)
}

fn reason(error: &io::Error) -> GapReason {
    if waits(error) { GapReason::TimedOut } else { GapReason::Unreachable }
}

fn config(verify: bool) -> Result<ClientConfig, rustls::Error> {
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions()?;
    let builder = if verify {
        builder.with_platform_verifier()?
    } else {
        builder.dangerous().with_custom_certificate_verifier(Arc::new(Anyone(provider)))
    };
    Ok(builder.with_no_client_auth())
}

/// Takes any certificate, as a URL that asks for no more than encryption says (`sslmode=require`). No password is sent
/// over what it accepted, only proofs of one.
#[derive(Debug)]
struct Anyone(Arc<CryptoProvider>);

impl ServerCertVerifier for Anyone {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_named_with_or_without_its_port() {
        let place = Place::read("DB.internal.example:6543", 5432).unwrap();
        let named = |host: &str| place.named_by(&[host.to_owned()]);
        assert!(named("db.internal.example") && named("db.internal.example:6543"));
        for other in
            ["db.internal.example:5432", "internal.example", "*", "", "db.internal.example.evil", "*.internal.example"]
        {
            assert!(!named(other), "{other}");
        }
        let six = Place::read("[::1]:5433", 5432).unwrap();
        assert_eq!((six.host.as_str(), six.port, six.to_string().as_str()), ("::1", 5433, "[::1]:5433"));
        assert!(
            six.named_by(&["[::1]".to_owned()])
                && six.named_by(&["[::1]:5433".to_owned()])
                && six.named_by(&["::1".to_owned()])
        );
        assert!(!six.named_by(&["[::1]:5432".to_owned()]));
    }

    #[test]
    fn a_socket_of_this_machine_is_no_place() {
        for text in ["/var/run/postgresql", "/var/run/postgresql:5432", "", ":5432", "a b", "db:99999", "db:"] {
            assert!(Place::read(text, 5432).is_none(), "{text}");
        }
    }

    #[test]
    fn a_server_that_trickles_is_not_waited_for() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            // The head of a long record of TLS, and then never the whole of it.
            for byte in [0x16, 3, 3, 0x3f, 0, 2, 0, 0x3e, 0xfc].into_iter().chain(std::iter::repeat_n(0, 600)) {
                if stream.write_all(&[byte]).is_err() {
                    return;
                }
                std::thread::sleep(Duration::from_millis(20));
            }
        });
        let started = Instant::now();
        let place = Place { host: "127.0.0.1".to_owned(), port };
        let socket = Socket::connect(&place, started + Duration::from_secs(1), &Arc::default()).unwrap();
        assert_eq!(socket.seal("127.0.0.1", false).err(), Some(GapReason::TimedOut));
        assert!(started.elapsed() < Duration::from_secs(3), "{:?}", started.elapsed());
    }
}
