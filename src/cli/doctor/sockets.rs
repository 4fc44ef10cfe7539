//! Who listens on which port, and how many watchers of files there are, as Linux tells it in `/proc`.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use super::facts::Taken;

/// Processes that are looked at.
const PROCESSES_MAX: usize = 20_000;
/// Bytes of a table of sockets.
const TABLE_BYTES_MAX: u64 = 64 << 20;

/// The ports that somebody listens on, each with the number of its socket. Source: the kernel's `proc_net_tcp`: the second column is the
/// address and port in hexadecimal, the fourth the state (`0A` listens), the tenth the inode.
pub fn listening(table: &str) -> Vec<(u16, u64)> {
    let line = |line: &str| {
        let columns: Vec<&str> = line.split_ascii_whitespace().collect();
        let port = u16::from_str_radix(columns.get(1)?.rsplit_once(':')?.1, 16).ok()?;
        (*columns.get(3)? == "0A").then_some(())?;
        Some((port, columns.get(9)?.parse().ok()?))
    };
    table.lines().skip(1).filter_map(line).collect()
}

/// What a process has open, by its link in `/proc/PID/fd`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Open {
    Socket(u64),
    Watcher,
}

/// What a link stands for.
pub fn open(link: &str) -> Option<Open> {
    if link == "anon_inode:inotify" || link == "inotify" {
        return Some(Open::Watcher);
    }
    link.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok().map(Open::Socket)
}

/// What this machine's processes have open; `None` where that is not told.
pub struct Table {
    ports: HashMap<u16, Vec<u64>>,
    owners: HashMap<u64, u32>,
    /// Watchers of this user's processes, as far as they may be looked at.
    pub watchers: u64,
}

impl Table {
    /// Looks at every process. Those of other users are seen without what they have open.
    pub fn read() -> Option<Table> {
        let mut ports: HashMap<u16, Vec<u64>> = HashMap::new();
        let mut any = false;
        for file in ["/proc/net/tcp", "/proc/net/tcp6"] {
            let Some(text) = text(Path::new(file)) else { continue };
            any = true;
            listening(&text).into_iter().for_each(|(port, inode)| ports.entry(port).or_default().push(inode));
        }
        if !any {
            return None;
        }
        let (mut owners, mut watchers) = (HashMap::new(), 0);
        for entry in fs::read_dir("/proc").ok()?.flatten().take(PROCESSES_MAX) {
            let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else { continue };
            for link in fs::read_dir(entry.path().join("fd")).into_iter().flatten().flatten() {
                let Ok(target) = fs::read_link(link.path()) else { continue };
                match open(&target.to_string_lossy()) {
                    Some(Open::Socket(inode)) => _ = owners.insert(inode, pid),
                    Some(Open::Watcher) => watchers += 1,
                    None => {}
                }
            }
        }
        Some(Table { ports, owners, watchers })
    }

    /// Who listens on a port.
    pub fn taken(&self, port: u16) -> Option<Taken> {
        let inodes = self.ports.get(&port)?;
        let pid = inodes.iter().find_map(|inode| self.owners.get(inode).copied());
        let program = pid.and_then(|pid| text(Path::new(&format!("/proc/{pid}/comm")))).map(|name| name.trim().to_owned());
        Some(Taken { pid, program })
    }
}

fn text(file: &Path) -> Option<String> {
    use std::io::Read;
    let mut bytes = Vec::new();
    fs::File::open(file).ok()?.take(TABLE_BYTES_MAX).read_to_end(&mut bytes).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_the_tables_of_sockets_those_that_listen_are_read() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:0BB8 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 31337 1 0000000000000000 100 0 0 10 0
   1: 0100007F:0BB8 0100007F:D431 01 00000000:00000000 00:00000000 00000000  1000        0 31338 1 0000000000000000 20 4 30 10 -1
   2: 00000000000000000000000000000000:11D6 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 42 1
   broken
";
        assert_eq!(listening(table), [(3_000, 31_337), (4_566, 42)]);
    }

    #[test]
    fn links_say_what_is_open() {
        for (link, wanted) in [
            ("socket:[31337]", Some(Open::Socket(31_337))),
            ("anon_inode:inotify", Some(Open::Watcher)),
            ("/etc/passwd", None),
            ("socket:[x]", None),
        ] {
            assert_eq!(open(link), wanted, "{link}");
        }
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn this_process_is_found_on_its_port() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let taken = Table::read().expect("Linux tells").taken(port).expect("it is taken");
        assert_eq!(taken.pid, Some(std::process::id()));
        drop(listener);
        assert_eq!(Table::read().expect("Linux tells").taken(port), None);
    }
}
