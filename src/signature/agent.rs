//! An SSH agent, asked for one signature (OpenSSH's PROTOCOL.agent). It keeps the key, which may lie in hardware, and
//! asks its user for what it asks for.

use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use super::{LARGEST, SignError};

/// `SSH_AGENTC_SIGN_REQUEST` and `SSH_AGENT_SIGN_RESPONSE`.
const REQUEST: u8 = 13;
const RESPONSE: u8 = 14;

/// `SSH_AGENT_RSA_SHA2_512`.
const RSA_SHA2_512: u32 = 4;

/// How long it may take: a person may have to touch a key or type a passphrase.
const PATIENCE: Duration = Duration::from_secs(120);

/// The signature of the key whose public half is `key` over `data`, as it goes over the wire.
pub(super) fn sign(socket: Option<&Path>, key: &[u8], data: &[u8], rsa: bool) -> Result<Vec<u8>, SignError> {
    let refused = |what: &str| SignError::Agent(format!("the file holds a public key, and {what}"));
    let socket = socket.ok_or_else(|| refused("no agent is named by SSH_AUTH_SOCK to sign with its other half"))?;
    let silent =
        |error: std::io::Error| refused(&format!("the agent that SSH_AUTH_SOCK names does not answer: {error}"));
    let mut request = vec![REQUEST];
    for part in [key, data] {
        request.extend(length(part)?.to_be_bytes());
        request.extend(part);
    }
    request.extend((if rsa { RSA_SHA2_512 } else { 0 }).to_be_bytes());
    let mut stream = UnixStream::connect(socket).map_err(silent)?;
    stream.set_read_timeout(Some(PATIENCE)).map_err(silent)?;
    stream.set_write_timeout(Some(PATIENCE)).map_err(silent)?;
    stream.write_all(&length(&request)?.to_be_bytes()).and_then(|()| stream.write_all(&request)).map_err(silent)?;
    let mut size = [0; 4];
    stream.read_exact(&mut size).map_err(silent)?;
    let size = u64::from(u32::from_be_bytes(size));
    let unlike = || refused("the agent that SSH_AUTH_SOCK names gives an answer that is none");
    if size > LARGEST {
        return Err(unlike());
    }
    let mut answer = Vec::new();
    stream.take(size).read_to_end(&mut answer).map_err(silent)?;
    match answer.split_first() {
        Some((&RESPONSE, rest)) => {
            let (size, signature) = rest.split_first_chunk::<4>().ok_or_else(unlike)?;
            let whole = u32::from_be_bytes(*size) as usize == signature.len();
            if whole { Ok(signature.to_vec()) } else { Err(unlike()) }
        }
        _ => {
            Err(refused("the agent that SSH_AUTH_SOCK names does not have its other half, or refuses to sign with it"))
        }
    }
}

fn length(part: &[u8]) -> Result<u32, SignError> {
    u32::try_from(part.len()).map_err(|_| SignError::Damaged)
}
