//! Every raw read and write at the boundary.

use std::mem::{MaybeUninit, size_of};
use std::ptr;

use super::app::taro_app_options;
use super::connect::taro_connect_options;
use super::library::taro_init_options;
use super::refuse::taro_refuse_options;
use super::socket::{taro_close_options, taro_send_options, taro_socket_counters};
use super::types::taro_str;
use crate::core::error::Status;

/// Longer structs than this are not read at all.
const LONGEST_STRUCT: usize = 4096;

/// A struct of options that begins with struct_size and for which all zeroes are the defaults.
///
/// # Safety
/// All zeroes must be a value of the type, and its first field the `u32` struct_size.
pub unsafe trait Options: Copy {
    /// Where each field ends; a shorter struct must end at one of these. The first is the shortest allowed.
    const ENDS: &'static [usize];
}

macro_rules! options {
    ($type:ty, $first:ident $(, $field:ident)*) => {
        // SAFETY: repr(C), struct_size first, and made of integers, pointers and nullable functions.
        unsafe impl Options for $type {
            const ENDS: &'static [usize] = &[end_of!($type, $first) $(, end_of!($type, $field))*];
        }
    };
}

macro_rules! end_of {
    ($type:ty, $field:ident) => {
        std::mem::offset_of!($type, $field) + field_size(|whole: &$type| &raw const whole.$field)
    };
}

const fn field_size<S, F>(_field: fn(&S) -> *const F) -> usize {
    size_of::<F>()
}

options!(
    taro_init_options,
    struct_size,
    io_threads,
    log_level,
    reserved,
    log,
    thread_start,
    thread_stop,
    user_data,
    release
);
options!(
    taro_app_options,
    struct_size,
    flavour,
    delivery,
    single_socket,
    forbid_ws,
    max_sockets,
    timeout_ms,
    tls_insecure,
    allow_list,
    allow_list_len,
    referer,
    address_overrides,
    address_overrides_len,
    ca_pem,
    ca_file,
    send_limit_bytes,
    message_limit_bytes,
    queue_limit_bytes,
    pause_limit_bytes,
    ping_interval_ms,
    pong_timeout_ms,
    idle_timeout_ms,
    background_grace_ms,
    close_timeout_ms,
    close_after_error,
    wake,
    user_data,
    release
);
options!(
    taro_connect_options,
    url,
    headers,
    headers_len,
    protocols,
    protocols_len,
    timeout_ms,
    reserved,
    bind_interface,
    success,
    fail,
    complete,
    open,
    message,
    error,
    close,
    drain,
    user_data,
    release
);
options!(taro_send_options, data_len, success, fail, complete, user_data, release);
options!(taro_refuse_options, subject, fail, complete, user_data, release);
options!(taro_close_options, struct_size, code, reason, success, fail, complete, user_data, release);

/// Reads a struct of options; NULL is an error.
///
/// # Safety
/// `options` is NULL or points to as many bytes as its first field, struct_size, says.
pub unsafe fn read_required<T: Options>(options: *const T) -> Result<T, Status> {
    if options.is_null() {
        return Err(Status::NullPointer);
    }
    // SAFETY: not NULL, and the caller's promise is ours.
    unsafe { read(options) }
}

/// Reads a struct of options; NULL means every default.
///
/// # Safety
/// As `read_required`.
pub unsafe fn read_options<T: Options>(options: *const T) -> Result<T, Status> {
    if options.is_null() {
        // SAFETY: all zeroes are a value of every `Options` type.
        return Ok(unsafe { MaybeUninit::zeroed().assume_init() });
    }
    // SAFETY: not NULL, and the caller's promise is ours.
    unsafe { read(options) }
}

unsafe fn read<T: Options>(options: *const T) -> Result<T, Status> {
    // SAFETY: the struct begins with struct_size; a caller's struct has at least that. Unaligned, as nothing
    // about a host's pointer is taken for granted.
    let size = unsafe { ptr::read_unaligned(options.cast::<u32>()) } as usize;
    let ours = size_of::<T>();
    let shortest = T::ENDS.iter().copied().min().unwrap_or(ours);
    if size < shortest || size > LONGEST_STRUCT {
        return Err(Status::BadStructSize);
    }
    if size < ours && !T::ENDS.contains(&size) {
        return Err(Status::BadStructSize);
    }
    for at in ours..size {
        // SAFETY: `at` is below struct_size, so inside the caller's struct.
        if unsafe { ptr::read(options.cast::<u8>().add(at)) } != 0 {
            return Err(Status::BadStructSize);
        }
    }
    let mut read: MaybeUninit<T> = MaybeUninit::zeroed();
    // SAFETY: both are valid for min(size, ours) bytes and do not overlap; what is not copied stays zero,
    // which is a value of the type.
    unsafe {
        ptr::copy_nonoverlapping(options.cast::<u8>(), read.as_mut_ptr().cast::<u8>(), size.min(ours));
        Ok(read.assume_init())
    }
}

/// Bytes of a host, for the length of a call.
///
/// # Safety
/// `data` is NULL or valid for `len` bytes until the call returns.
pub unsafe fn bytes<'a>(data: *const u8, len: usize) -> Result<&'a [u8], Status> {
    // SAFETY: the caller's promise is ours.
    unsafe { slice(data, len) }
}

/// Elements of a host's array, for the length of a call.
///
/// # Safety
/// `data` is NULL or valid for `len` elements until the call returns.
pub unsafe fn slice<'a, T>(data: *const T, len: usize) -> Result<&'a [T], Status> {
    if len == 0 {
        return Ok(&[]);
    }
    if data.is_null() {
        return Err(Status::NullPointer);
    }
    if len > isize::MAX as usize / size_of::<T>().max(1) || !data.is_aligned() {
        return Err(Status::BadArgument);
    }
    // SAFETY: not NULL, aligned, not larger than memory can be, valid as the caller promised.
    Ok(unsafe { std::slice::from_raw_parts(data, len) })
}

/// The bytes of a string.
///
/// # Safety
/// As `bytes`.
pub unsafe fn str_bytes<'a>(text: taro_str) -> Result<&'a [u8], Status> {
    // SAFETY: the caller's promise is ours.
    unsafe { bytes(text.ptr.cast(), text.len) }
}

/// A string of a host in a struct of ours.
pub fn text(bytes: &[u8]) -> taro_str {
    taro_str { ptr: bytes.as_ptr().cast(), len: bytes.len() }
}

/// Where one value goes. Zeroed first, so that an error leaves nothing of before.
pub struct Out<T>(*mut T);

impl<T: Default> Out<T> {
    /// # Safety
    /// `place` is NULL or writable until the call returns.
    pub unsafe fn new(place: *mut T) -> Result<Out<T>, Status> {
        // SAFETY: the caller's promise is ours.
        unsafe { Out::with(place, T::default()) }
    }
}

impl<T> Out<T> {
    /// # Safety
    /// `place` is NULL or writable until the call returns.
    pub unsafe fn with(place: *mut T, first: T) -> Result<Out<T>, Status> {
        if place.is_null() {
            return Err(Status::NullPointer);
        }
        // SAFETY: not NULL, writable as the caller promised.
        unsafe { ptr::write_unaligned(place, first) };
        Ok(Out(place))
    }

    pub fn set(&mut self, value: T) {
        // SAFETY: `with` was promised that it is writable until the call returns, and this lives no longer.
        unsafe { ptr::write_unaligned(self.0, value) };
    }
}

/// Where one value goes, if the host wants it.
pub struct OptionalOut<T>(*mut T);

impl<T: Default> OptionalOut<T> {
    /// # Safety
    /// `place` is NULL or writable until the call returns.
    pub unsafe fn new(place: *mut T) -> OptionalOut<T> {
        let mut out = OptionalOut(place);
        out.set(T::default());
        out
    }

    pub fn set(&mut self, value: T) {
        if !self.0.is_null() {
            // SAFETY: not NULL, and `new` was promised that it is writable until the call returns.
            unsafe { ptr::write_unaligned(self.0, value) };
        }
    }
}

/// Copies as many elements as there is room for.
///
/// # Safety
/// `place` is NULL or writable for `capacity` elements until the call returns.
pub unsafe fn write_slice<T: Copy>(from: &[T], place: *mut T, capacity: usize) -> Result<(), Status> {
    if capacity == 0 {
        return Ok(());
    }
    if place.is_null() {
        return Err(Status::NullPointer);
    }
    let length = from.len().min(capacity) * size_of::<T>();
    // SAFETY: not NULL, room for `capacity` elements as the caller promised; `from` is ours, so no overlap. As bytes,
    // because the place need not be aligned.
    unsafe { ptr::copy_nonoverlapping(from.as_ptr().cast::<u8>(), place.cast::<u8>(), length) };
    Ok(())
}

/// The counters of the caller, cleared and then filled as far as its struct_size says.
pub struct StructOut {
    place: *mut taro_socket_counters,
    size: usize,
}

impl StructOut {
    /// # Safety
    /// `place` is NULL or points to as many writable bytes as its first field, struct_size, says.
    pub unsafe fn new(place: *mut taro_socket_counters) -> Result<StructOut, Status> {
        if place.is_null() {
            return Err(Status::NullPointer);
        }
        // SAFETY: not NULL, and the struct begins with struct_size.
        let size = unsafe { ptr::read_unaligned(place.cast::<u32>()) } as usize;
        let whole_counters =
            size.is_multiple_of(size_of::<u64>()) || size >= size_of::<taro_socket_counters>();
        if size < 2 * size_of::<u64>() || size > LONGEST_STRUCT || !whole_counters {
            return Err(Status::BadStructSize);
        }
        let size = size.min(size_of::<taro_socket_counters>());
        // SAFETY: struct_size bytes are writable, and `size` is not more.
        unsafe { place.cast::<u8>().add(size_of::<u32>()).write_bytes(0, size - size_of::<u32>()) };
        Ok(StructOut { place, size })
    }

    pub fn set(&mut self, mut value: taro_socket_counters) {
        value.struct_size = self.size as u32;
        // SAFETY: `new` was promised that struct_size bytes are writable, and `size` is not more.
        unsafe {
            ptr::copy_nonoverlapping((&raw const value).cast::<u8>(), self.place.cast::<u8>(), self.size);
        }
    }
}
