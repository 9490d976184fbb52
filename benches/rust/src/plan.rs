//! Arguments, clocks, figures.

use std::process::exit;

use libc::{CLOCK_MONOTONIC, CLOCK_PROCESS_CPUTIME_ID};

/// As ../c/common.h has them.
const NO_SUCH_SCENARIO: i32 = 3;

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Scenario {
    Rtt,
    Rttx,
    Rtth,
    Send,
    Recv,
    Conns,
    First,
}

pub struct Plan {
    pub scenario: Scenario,
    /// With the scheme, the address and the port, and the path of the scenario.
    pub url: String,
    pub address: String,
    pub port: u16,
    pub tls: bool,
    pub size: usize,
    pub count: usize,
    pub warm: usize,
    pub kind: String,
    pub idle: u32,
    pub authority: Option<String>,
    pub payload: &'static [u8],
    started: i64,
    laps: Option<Vec<i64>>,
    start: i64,
    start_cpu: i64,
}

impl Plan {
    pub fn read() -> Plan {
        let arguments: Vec<String> = std::env::args().collect();
        let [_, scenario, url, size, count, options @ ..] = arguments.as_slice() else {
            fail("usage: SCENARIO URL SIZE COUNT [NAME=VALUE...]");
        };
        let (scenario, path) = match scenario.as_str() {
            "rtt" => (Scenario::Rtt, "/echo"),
            "rttx" => (Scenario::Rttx, "/echo"),
            "rtth" => (Scenario::Rtth, "/echo"),
            "send" => (Scenario::Send, "/sink"),
            "recv" => (Scenario::Recv, "/blast"),
            "conns" => (Scenario::Conns, "/echo"),
            "first" => (Scenario::First, "/echo"),
            _ => exit(NO_SUCH_SCENARIO),
        };
        let (scheme, place) = url.split_once("://").expect("URL");
        let (address, port) = place.split_once(':').expect("URL with a port");
        let size = size.parse().expect("SIZE");
        let mut plan = Plan {
            scenario,
            url: format!("{url}{path}"),
            address: address.to_owned(),
            port: port.parse().expect("port"),
            tls: scheme == "wss",
            size,
            count: count.parse().expect("COUNT"),
            warm: 0,
            kind: "binary".to_owned(),
            idle: 0,
            authority: None,
            payload: Vec::leak(vec![b'x'; size]),
            started: 0,
            laps: None,
            start: 0,
            start_cpu: 0,
        };
        for option in options {
            let (name, value) = option.split_once('=').expect("NAME=VALUE");
            match name {
                "warm" => plan.warm = value.parse().expect("warm"),
                "kind" => plan.kind = value.to_owned(),
                "idle" => plan.idle = value.parse().expect("idle"),
                "ca" => plan.authority = Some(value.to_owned()),
                "started" => plan.started = value.parse().expect("started"),
                "laps" => plan.laps = Some(touched(plan.count)),
                _ => fail("unknown option"),
            }
        }
        raise_descriptor_limit();
        plan
    }

    /// What the server's /blast is asked with.
    pub fn wish(&self) -> &'static [u8] {
        Vec::leak(format!("{} {} {}", self.count, self.size, self.kind).into_bytes())
    }

    pub fn start(&mut self) {
        self.start_cpu = now(CLOCK_PROCESS_CPUTIME_ID);
        self.start = now(CLOCK_MONOTONIC);
    }

    /// The end of one round trip.
    pub fn lap(&mut self) {
        if let Some(laps) = &mut self.laps {
            laps.push(now(CLOCK_MONOTONIC));
        }
    }

    pub fn stop(&mut self) {
        let elapsed = (now(CLOCK_MONOTONIC) - self.start) as f64;
        let cpu = (now(CLOCK_PROCESS_CPUTIME_ID) - self.start_cpu) as f64;
        report("elapsed_ns", elapsed);
        report("ns_per_message", elapsed / self.count as f64);
        report("cpu_ns_per_message", cpu / self.count as f64);
        if let Some(laps) = self.laps.take().filter(|laps| !laps.is_empty()) {
            let starts = std::iter::once(&self.start).chain(&laps);
            let mut spans: Vec<i64> = laps.iter().zip(starts).map(|(end, start)| end - start).collect();
            spans.sort_unstable();
            report("median_ns", spans[spans.len() / 2] as f64);
            report("p99_ns", spans[spans.len() * 99 / 100] as f64);
        }
    }

    pub fn report_first(&self) {
        report("start_ns", (now(CLOCK_MONOTONIC) - self.started) as f64);
    }

    /// What all connections but the first cost, then what all of them do in silence.
    pub fn report_connections(&self, memory_of_first: f64) {
        let more = (self.count - 1) as f64;
        let elapsed = (now(CLOCK_MONOTONIC) - self.start) as f64;
        let cpu = (now(CLOCK_PROCESS_CPUTIME_ID) - self.start_cpu) as f64;
        report("connects_per_s", more / elapsed * 1e9);
        report("cpu_ns_per_connect", cpu / more);
        report("bytes_per_connection", (own_memory() - memory_of_first) / more);
        // SAFETY: sleep takes a number.
        unsafe { libc::sleep(1) };
        let (cpu, wakes) = (now(CLOCK_PROCESS_CPUTIME_ID), voluntary_switches());
        // SAFETY: as above.
        unsafe { libc::sleep(self.idle) };
        report("idle_cpu_ns", (now(CLOCK_PROCESS_CPUTIME_ID) - cpu) as f64);
        // The thread that sleeps here wakes up once.
        report("idle_wakes", (voluntary_switches() - wakes - 1) as f64);
    }
}

pub fn fail(what: &str) -> ! {
    eprintln!("{what}");
    exit(1)
}

fn report(name: &str, value: f64) {
    println!("{name} {value}");
}

/// Room for so many laps, written once, so that no page comes into being while the clock runs.
fn touched(count: usize) -> Vec<i64> {
    let mut laps = vec![1; count];
    laps.clear();
    laps
}

fn now(clock: libc::clockid_t) -> i64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` outlives the call.
    unsafe { libc::clock_gettime(clock, &mut time) };
    time.tv_sec * 1_000_000_000 + time.tv_nsec
}

fn voluntary_switches() -> i64 {
    // SAFETY: all zeroes is a valid rusage, and it outlives the call.
    unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        libc::getrusage(libc::RUSAGE_SELF, &mut usage);
        usage.ru_nvcsw
    }
}

fn raise_descriptor_limit() {
    // SAFETY: `limit` outlives the calls.
    unsafe {
        let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
        libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit);
        limit.rlim_cur = limit.rlim_max;
        libc::setrlimit(libc::RLIMIT_NOFILE, &limit);
    }
}

/// Memory of the process that is its own, in bytes: not that of files it maps.
pub fn own_memory() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:"));
    let kib = line.and_then(|line| line.split_whitespace().next()).and_then(|kib| kib.parse::<f64>().ok());
    kib.unwrap_or(0.0) * 1024.0
}
