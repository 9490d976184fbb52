//! The options of an app, from C to what the core wants.

use std::time::Duration;

use super::app::{TARO_DELIVERY_HOST, taro_app_options};
use super::callback::{self, HostData};
use super::ptr;
use crate::core::error::Status;
use crate::core::flavour::Flavour;
use crate::core::handler::AppHandler;
use crate::core::settings::{Allowed, AppSettings, Override};
use crate::protocol::request;
use crate::transport::tls::{self, ClientTls};

const MEBIBYTE: u64 = 1024 * 1024;
const MOST_SOCKETS: u32 = 65_535;

/// What an app asked for, its handler and its user data.
///
/// # Safety
/// The pointers in `options` are valid for their lengths until the call returns.
pub unsafe fn settings(
    options: &taro_app_options,
) -> Result<(AppSettings, Box<dyn AppHandler>, Box<HostData>), Status> {
    // SAFETY: the caller's promise is ours.
    let settings = unsafe { read(options) }?;
    Ok((settings, callback::app(options), HostData::hold(options.user_data, options.release)))
}

/// How the default app is: every default.
pub fn default_app() -> (AppSettings, Box<dyn AppHandler>) {
    // SAFETY: all zeroes are every default of the struct, and no pointers to follow.
    let options: taro_app_options = unsafe { std::mem::zeroed() };
    (defaults(&options, Flavour::weapp()), callback::app(&options))
}

fn bytes_or(value: u64, default: u64) -> usize {
    let value = if value == 0 { default } else { value };
    usize::try_from(value).unwrap_or(usize::MAX)
}

fn duration(ms: u32) -> Option<Duration> {
    (ms > 0).then(|| Duration::from_millis(ms.into()))
}

/// Everything that needs no pointer.
fn defaults(options: &taro_app_options, flavour: &'static Flavour) -> AppSettings {
    let timeout = u64::try_from(options.timeout_ms).ok().filter(|ms| *ms > 0);
    AppSettings {
        flavour,
        direct: options.delivery != TARO_DELIVERY_HOST,
        single_socket: options.single_socket == 1,
        forbid_ws: options.forbid_ws == 1,
        max_sockets: if options.max_sockets == 0 {
            flavour.max_sockets
        } else {
            options.max_sockets as usize
        },
        connect_timeout: timeout.map_or(flavour.connect_timeout, Duration::from_millis),
        allow_list: None,
        referer: None,
        overrides: Vec::new(),
        tls: ClientTls::new(Vec::new(), options.tls_insecure == 1),
        send_limit: bytes_or(options.send_limit_bytes, 16 * MEBIBYTE),
        message_limit: bytes_or(options.message_limit_bytes, 16 * MEBIBYTE),
        queue_limit: bytes_or(options.queue_limit_bytes, MEBIBYTE),
        pause_limit: bytes_or(options.pause_limit_bytes, MEBIBYTE),
        ping_interval: duration(options.ping_interval_ms),
        pong_timeout: duration(options.pong_timeout_ms),
        idle_timeout: duration(options.idle_timeout_ms),
        background_grace: duration(options.background_grace_ms).unwrap_or(Duration::from_secs(5)),
        close_timeout: duration(options.close_timeout_ms).unwrap_or(Duration::from_secs(10)),
    }
}

unsafe fn read(options: &taro_app_options) -> Result<AppSettings, Status> {
    let flavour = Flavour::number(options.flavour).ok_or(Status::BadArgument)?;
    let flags = [options.delivery, options.single_socket, options.forbid_ws, options.tls_insecure];
    if flags.iter().any(|flag| *flag > 1) || options.max_sockets > MOST_SOCKETS || options.reserved != 0 {
        return Err(Status::BadArgument);
    }
    let mut settings = defaults(options, flavour);
    // SAFETY: the caller's promise is ours, for this block as a whole.
    unsafe {
        let allowed = ptr::slice(options.allow_list, options.allow_list_len)?;
        if !allowed.is_empty() {
            let mut list = Vec::with_capacity(allowed.len());
            for entry in allowed {
                list.push(Allowed::parse(utf8(ptr::str_bytes(*entry)?)?)?);
            }
            settings.allow_list = Some(list);
        }
        let referer = ptr::str_bytes(options.referer)?;
        if !referer.is_empty() {
            request::check_field(b"Referer", referer).map_err(|_| Status::BadArgument)?;
            settings.referer = Some(utf8(referer)?.to_owned());
        }
        for entry in ptr::slice(options.address_overrides, options.address_overrides_len)? {
            let (from, to) = (ptr::str_bytes(entry.from)?, ptr::str_bytes(entry.to)?);
            settings.overrides.push(Override::parse(utf8(from)?, utf8(to)?)?);
        }
        let mut roots = Vec::new();
        let pem = ptr::str_bytes(options.ca_pem)?;
        if !pem.is_empty() {
            roots.extend(tls::parse_roots(pem).map_err(|_| Status::BadArgument)?);
        }
        let file = ptr::str_bytes(options.ca_file)?;
        if !file.is_empty() {
            let pem = std::fs::read(utf8(file)?).map_err(|_| Status::BadArgument)?;
            roots.extend(tls::parse_roots(&pem).map_err(|_| Status::BadArgument)?);
        }
        settings.tls = ClientTls::new(roots, options.tls_insecure == 1);
    }
    Ok(settings)
}

fn utf8(bytes: &[u8]) -> Result<&str, Status> {
    std::str::from_utf8(bytes).map_err(|_| Status::BadArgument)
}
