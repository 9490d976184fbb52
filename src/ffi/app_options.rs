//! The options of an app, from C to what the core wants.

use std::time::Duration;

use super::app::{TARO_DELIVERY_HOST, taro_app_options};
use super::callback::{self, HostData};
use super::ptr;
use crate::core::error::Status;
use crate::core::flavour::Flavour;
use crate::core::handler::AppHandler;
use crate::core::settings::{self, Allowed, AppSettings, Override};

const MEBIBYTE: u64 = 1024 * 1024;
const MOST_SOCKETS: u32 = 65_535;

/// What an app asked for, its handler and its user data.
type Parts = (AppSettings, Box<dyn AppHandler>, Box<HostData>);

/// Reads it.
///
/// # Safety
/// The pointers in `options` are valid for their lengths until the call returns.
pub unsafe fn settings(options: &taro_app_options) -> Result<Parts, Status> {
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
        tls: settings::system_trust(),
        send_limit: bytes_or(options.send_limit_bytes, 16 * MEBIBYTE),
        message_limit: bytes_or(options.message_limit_bytes, 16 * MEBIBYTE),
        queue_limit: bytes_or(options.queue_limit_bytes, MEBIBYTE),
        pause_limit: bytes_or(options.pause_limit_bytes, MEBIBYTE),
        ping_interval: duration(options.ping_interval_ms),
        pong_timeout: duration(options.pong_timeout_ms),
        idle_timeout: duration(options.idle_timeout_ms),
        failed_handshake_closes: flavour.failed_handshake_closes || options.close_after_error == 1,
        background_grace: duration(options.background_grace_ms).unwrap_or(Duration::from_secs(5)),
        close_timeout: duration(options.close_timeout_ms).unwrap_or(Duration::from_secs(10)),
    }
}

unsafe fn read(options: &taro_app_options) -> Result<AppSettings, Status> {
    let flavour = Flavour::number(options.flavour).ok_or(Status::BadArgument)?;
    let flags = [
        options.delivery,
        options.single_socket,
        options.forbid_ws,
        options.tls_insecure,
        options.close_after_error,
    ];
    if flags.iter().any(|flag| *flag > 1) || options.max_sockets > MOST_SOCKETS {
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
        settings.referer = settings::referer(ptr::str_bytes(options.referer)?)?;
        for entry in ptr::slice(options.address_overrides, options.address_overrides_len)? {
            let (from, to) = (ptr::str_bytes(entry.from)?, ptr::str_bytes(entry.to)?);
            settings.overrides.push(Override::parse(utf8(from)?, utf8(to)?)?);
        }
        let path = ptr::str_bytes(options.ca_file)?;
        let file = match path {
            [] => Vec::new(),
            path => std::fs::read(utf8(path)?).map_err(|_| Status::BadArgument)?,
        };
        if !path.is_empty() && file.is_empty() {
            return Err(Status::BadArgument);
        }
        settings.tls = settings::trust(&[ptr::str_bytes(options.ca_pem)?, &file], options.tls_insecure == 1)?;
    }
    Ok(settings)
}

fn utf8(bytes: &[u8]) -> Result<&str, Status> {
    std::str::from_utf8(bytes).map_err(|_| Status::BadArgument)
}
