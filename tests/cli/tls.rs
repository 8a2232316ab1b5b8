//! Certificates: what `SSL_CERT_FILE`, `SSL_CERT_DIR` and pip's own setting say is trusted, and what nobody vouches for is not.
//!
//! `tls/` holds an authority that exists for these tests only (its key was thrown away), and a certificate and key of
//! 127.0.0.1 that are worth nothing anywhere else. They are valid until 2126.

use crate::support::quiet_success;
use omnipkg_tests::{BuiltWheel, Context, WheelBuilder};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::Arc;

fn folder() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/cli/tls"))
}

/// An index of one wheel that speaks TLS only, until the test's process ends; its URL.
fn index(wheel: &BuiltWheel) -> String {
    let certificate = CertificateDer::from_pem_file(folder().join("server.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_file(folder().join("server.key")).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = Arc::new(config.with_no_client_auth().with_single_cert(vec![certificate], key).unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let wheel = wheel.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let (config, wheel) = (config.clone(), wheel.clone());
            // A client that does not trust the certificate ends the conversation.
            std::thread::spawn(move || answer(stream, config, &wheel).ok());
        }
    });
    format!("https://{address}/simple/")
}

fn answer(stream: TcpStream, config: Arc<ServerConfig>, wheel: &BuiltWheel) -> std::io::Result<()> {
    let connection = ServerConnection::new(config).map_err(std::io::Error::other)?;
    let mut reader = BufReader::new(StreamOwned::new(connection, stream));
    let mut first = String::new();
    reader.read_line(&mut first)?;
    let mut line = String::new();
    while reader.read_line(&mut line)? > 2 {
        line.clear();
    }
    let (kind, body) = match first.contains(".whl") {
        true => ("application/zip", wheel.bytes.clone()),
        false => ("text/html", format!("<a href='/{}'>a</a>", wheel.filename).into_bytes()),
    };
    let length = body.len();
    let head =
        format!("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\r\n");
    let stream = reader.get_mut();
    stream.write_all(&[head.as_bytes(), &body].concat())?;
    stream.conn.send_close_notify();
    stream.flush()
}

#[test]
fn only_what_an_authority_vouches_for_is_trusted() {
    let context = Context::new();
    let url = index(&WheelBuilder::new("lib", "1.0").build());
    let resolve = |variables: &[(&str, PathBuf)]| {
        let mut command = context.command(["resolve", "lib", "--refresh", "--index-url", &url]);
        command.envs(variables.iter().map(|(name, path)| (name, path)));
        omnipkg_tests::process::run(command, b"")
    };
    let authority = folder().join("authority.pem");
    assert_eq!(quiet_success(resolve(&[("SSL_CERT_FILE", authority.clone())])), "lib==1.0\n");
    assert_eq!(quiet_success(resolve(&[("PIP_CERT", authority.clone())])), "lib==1.0\n");
    let missing = resolve(&[("PIP_CERT", PathBuf::from("/no/such/file"))]).expect_code(1);
    assert!(missing.stderr.contains("cannot read certificates from /no/such/file"), "{missing}");
    let directory = context.work().join("authorities");
    fs::create_dir(&directory).unwrap();
    fs::copy(&authority, directory.join("ours.pem")).unwrap();
    assert_eq!(quiet_success(resolve(&[("SSL_CERT_DIR", directory)])), "lib==1.0\n");
    for variables in [&[][..], &[("SSL_CERT_FILE", folder().join("server.pem"))][..]] {
        let refused = resolve(variables).expect_code(1);
        assert!(refused.stderr.contains("cannot fetch https://127.0.0.1:"), "{refused}");
        assert!(refused.stderr.contains("hint: name the file of the authority that vouches for it"), "{refused}");
    }
}
