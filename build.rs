//! Generates the C header into OUT_DIR, and gives the shared library its name and its `nodelete` flag.
//!
//! The source tree is never written: `make header` copies the result to `include/`.

use std::path::{Path, PathBuf};
use std::{env, fs};

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=cbindgen.toml");
    println!("cargo:rerun-if-changed=src/ffi");
    println!("cargo:rerun-if-env-changed=TARO_HEADER_OUT");

    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    let room = root.join("src/ffi");
    let sources = read_sources(&room);
    link(abi_version(&sources));

    let header = header(&root, &room, &sources);
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it")).join("taro_socket.h");
    write(&out, &header);
    if let Some(copy) = env::var_os("TARO_HEADER_OUT") {
        write(Path::new(&copy), &header);
    }
}

/// rustc sets no SONAME. Unloading under live threads crashes, so the library is never unmapped.
fn link(abi: u32) {
    let soname = match env::var("CARGO_CFG_TARGET_OS").as_deref() {
        Ok("linux" | "freebsd" | "netbsd" | "openbsd" | "dragonfly") => format!("libtaro_socket.so.{abi}"),
        // Packages for Android hold files named lib*.so and no others.
        Ok("android") => String::from("libtaro_socket.so"),
        _ => return,
    };
    println!("cargo:rustc-cdylib-link-arg=-Wl,-soname,{soname}");
    println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete");
}

fn header(root: &Path, room: &Path, sources: &[String]) -> String {
    let mut config = cbindgen::Config::from_file(root.join("cbindgen.toml")).expect("cbindgen.toml");
    config.header = optional(&room.join("header_top.h"));
    config.after_includes = Some(version_macros());
    config.export.exclude = hooks(sources);

    // The room alone: public constants of other rooms are none of the host's business.
    let bindings = cbindgen::Builder::new()
        .with_config(config)
        .with_src(room.join("mod.rs"))
        .generate()
        .expect("src/ffi is what cbindgen can read");
    let mut bytes = Vec::new();
    bindings.write(&mut bytes);
    let header = one_line_comments(&String::from_utf8(bytes).expect("sources are UTF-8"));

    // cbindgen writes a trailer behind the include guard; the macros belong inside.
    match optional(&room.join("header_tail.h")) {
        None => header,
        Some(tail) => {
            let end = header.rfind("#endif").expect("cbindgen.toml asks for an include guard");
            let (body, guard) = header.split_at(end);
            format!("{body}{}\n\n{guard}", tail.trim_end())
        }
    }
}

/// cbindgen spends three lines on a comment of one, which doubles the length of a table of constants.
fn one_line_comments(header: &str) -> String {
    let mut lines: Vec<String> = Vec::new();
    for line in header.lines() {
        let indent = &line[..line.len() - line.trim_start().len()];
        if let [.., open, text] = lines.as_slice()
            && line.trim() == "*/"
            && open.trim() == "/**"
            && let Some(text) = text.trim_start().strip_prefix("* ")
        {
            let joined = format!("{}/** {text} */", indent.strip_suffix(' ').unwrap_or(indent));
            lines.truncate(lines.len() - 2);
            lines.push(joined);
        } else {
            lines.push(line.to_owned());
        }
    }
    lines.join("\n") + "\n"
}

fn version_macros() -> String {
    let number = |name: &str| env::var(format!("CARGO_PKG_VERSION_{name}")).expect("cargo sets it");
    format!(
        "\n/** Version of this header, such as `0.1.0`; `taro_version()` tells the library's. */\n\
         #define TARO_VERSION_STRING \"{}\"\n\
         /** First number of TARO_VERSION_STRING. */\n#define TARO_VERSION_MAJOR {}\n\
         /** Second number of TARO_VERSION_STRING. */\n#define TARO_VERSION_MINOR {}\n\
         /** Third number of TARO_VERSION_STRING. */\n#define TARO_VERSION_PATCH {}",
        env::var("CARGO_PKG_VERSION").expect("cargo sets it"),
        number("MAJOR"),
        number("MINOR"),
        number("PATCH"),
    )
}

/// Names of the exports that only ffi-tests use: no feature may change the header.
fn hooks(sources: &[String]) -> Vec<String> {
    let name = |rest: &str| rest.split(|c: char| !c.is_alphanumeric() && c != '_').next().map(String::from);
    sources
        .iter()
        .flat_map(|source| source.split("fn taro_test_").skip(1))
        .filter_map(|rest| name(rest).map(|tail| format!("taro_test_{tail}")))
        .collect()
}

fn abi_version(sources: &[String]) -> u32 {
    let number = |source: &String| {
        let (_, rest) = source.split_once("pub const TARO_ABI_VERSION: u32 = ")?;
        rest.split(';').next()?.trim().parse().ok()
    };
    sources.iter().find_map(number).expect("src/ffi says `pub const TARO_ABI_VERSION: u32 = <number>;`")
}

fn read_sources(room: &Path) -> Vec<String> {
    let mut files: Vec<PathBuf> = fs::read_dir(room)
        .expect("src/ffi")
        .map(|entry| entry.expect("src/ffi").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .collect();
    files.sort();
    files.iter().map(|path| fs::read_to_string(path).expect("a source file")).collect()
}

fn optional(path: &Path) -> Option<String> {
    path.exists().then(|| fs::read_to_string(path).expect("a source file").trim_end().to_owned())
}

/// Leaves an equal file alone, so that nothing that depends on its time is built again.
fn write(path: &Path, text: &str) {
    if fs::read_to_string(path).is_ok_and(|old| old == text) {
        return;
    }
    fs::create_dir_all(path.parent().expect("a file has a folder")).expect("folder of the header");
    fs::write(path, text).expect("header");
}
