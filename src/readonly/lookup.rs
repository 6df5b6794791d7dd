//! Where the members of a service are, by the name of the service: SRV records (RFC 2782), as `MongoDB`'s clients look them up.
//!
//! <https://github.com/mongodb/specifications/blob/master/source/initial-dns-seedlist-discovery/initial-dns-seedlist-discovery.md>

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use deadstop_core::fact::GapReason;
use rsdns::Error;
use rsdns::clients::{ClientConfig, std::Client};
use rsdns::records::Class;
use rsdns::records::data::Srv;

use super::ReadOnly;
use super::socket::Place;
use super::statement::Trouble;

/// How long the whole lookup may take, and one question of it.
const PATIENCE: Duration = Duration::from_secs(5);
const ONCE: Duration = Duration::from_millis(1_500);
/// How many members are kept: more are no cluster that anybody runs.
const MOST: usize = 50;
/// The name server of this machine.
const SYSTEM: &str = "/etc/resolv.conf";

impl ReadOnly {
    /// The same door, which has names of services looked up there.
    #[must_use]
    pub fn resolving(self, resolver: Option<SocketAddr>) -> Self {
        Self { resolver, ..self }
    }

    /// The members of a service that the user named. They are connected to as if the user had named each: all lie below the
    /// domain of the service's own name.
    ///
    /// # Errors
    /// Why it is not known where they are.
    pub(crate) fn members(&self, provider: &str, service: &Place, credential: &str) -> Result<Vec<Place>, Trouble> {
        if !self.names(provider, service) {
            return Err(GapReason::NotAsked.into());
        }
        let started = Instant::now();
        let found = self.look_up(service).map_err(Trouble::from);
        self.note(provider, "look up the members (SRV)", (service, credential), started, &found);
        if let Ok(places) = &found {
            let mut members = self.members.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            members.extend(places.iter().map(|place| (provider.to_owned(), place.clone())));
        }
        found
    }

    fn look_up(&self, service: &Place) -> Result<Vec<Place>, GapReason> {
        let resolver = self.resolver.or_else(of_system).ok_or(GapReason::Unreachable)?;
        let config = ClientConfig::with_nameserver(resolver);
        let config = config.set_query_lifetime(PATIENCE).set_query_timeout(Some(ONCE));
        let mut client = Client::new(config).map_err(|_| GapReason::Unreachable)?;
        let name = format!("_mongodb._tcp.{}", service.host);
        let set = client.query_rrset::<Srv>(&name, Class::IN).map_err(|error| reason(&error))?;
        let mut records: Vec<&Srv> = set.rdata.iter().collect();
        records.sort_by_key(|record| (record.priority, std::cmp::Reverse(record.weight)));
        let places: Option<Vec<Place>> =
            records.into_iter().map(|record| member(&service.host, record.target.as_str(), record.port)).collect();
        // One that leads elsewhere makes all of it no answer.
        let places = places.filter(|places| !places.is_empty() && places.len() <= MOST);
        places.ok_or(GapReason::Malformed)
    }
}

/// A member of a service, if it lies below the domain of the service's name.
fn member(service: &str, target: &str, port: u16) -> Option<Place> {
    let target = target.trim_end_matches('.').to_ascii_lowercase();
    // The domain is the name without its first label; a name of two labels or fewer is a domain by itself.
    let domain = match service.split_once('.') {
        Some((_, domain)) if domain.contains('.') => domain,
        Some(_) | None => service,
    };
    let below = target.strip_suffix(domain).is_some_and(|head| head.ends_with('.') && head.len() > 1);
    let place = Place::read(&format!("{target}:{port}"), port)?;
    (below && place.host.parse::<IpAddr>().is_err()).then_some(place)
}

/// The first name server of this machine (resolv.conf(5)).
fn of_system() -> Option<SocketAddr> {
    let text = std::fs::read_to_string(SYSTEM).ok()?;
    let servers = text.lines().filter_map(|line| line.trim().strip_prefix("nameserver"));
    let address: IpAddr = servers.filter_map(|rest| rest.trim().parse().ok()).next()?;
    Some(SocketAddr::new(address, 53))
}

fn reason(error: &Error) -> GapReason {
    if matches!(error, Error::Timeout) {
        GapReason::TimedOut
    } else if matches!(error, Error::IoError(_)) {
        GapReason::Unreachable
    } else {
        GapReason::Malformed
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::net::UdpSocket;
    use std::sync::Arc;
    use std::sync::atomic::AtomicBool;

    use super::*;

    /// A name server that tells every question the same members; none: it answers nothing.
    fn server(members: Option<Vec<(u16, &'static str)>>) -> SocketAddr {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let address = socket.local_addr().unwrap();
        std::thread::spawn(move || {
            let mut asked = [0; 512];
            while let Ok((length, from)) = socket.recv_from(&mut asked) {
                let Some(members) = &members else { continue };
                let end = 12 + asked[12..length].iter().position(|byte| *byte == 0).unwrap() + 5;
                let mut answer = asked[..2].to_vec();
                // An answer without errors to one question (RFC 1035, section 4.1.1).
                answer.extend([0x81, 0x80, 0, 1, 0, u8::try_from(members.len()).unwrap(), 0, 0, 0, 0]);
                answer.extend(&asked[12..end]);
                for (priority, target) in members {
                    let mut data = Vec::new();
                    data.extend(priority.to_be_bytes());
                    data.extend([0, 1]);
                    data.extend(27_018_u16.to_be_bytes());
                    for label in target.split('.') {
                        data.push(u8::try_from(label.len()).unwrap());
                        data.extend(label.as_bytes());
                    }
                    data.push(0);
                    // The name of the question, SRV, IN, a minute.
                    answer.extend([0xc0, 12, 0, 33, 0, 1, 0, 0, 0, 60]);
                    answer.extend(u16::try_from(data.len()).unwrap().to_be_bytes());
                    answer.extend(data);
                }
                socket.send_to(&answer, from).unwrap();
            }
        });
        address
    }

    fn door(resolver: SocketAddr) -> ReadOnly {
        let door = ReadOnly::new(BTreeMap::new(), Duration::from_secs(60), Arc::new(AtomicBool::new(false)));
        let hosts = BTreeMap::from([("mongodb".to_owned(), vec!["shop.ab1cd.mongodb.net".to_owned()])]);
        door.with_hosts(hosts).resolving(Some(resolver))
    }

    fn service(host: &str) -> Place {
        Place { host: host.to_owned(), port: 27017 }
    }

    #[test]
    fn members_of_a_named_service_are_looked_up_and_may_be_connected_to() {
        let door = door(server(Some(vec![(10, "shop-01.ab1cd.mongodb.net"), (0, "shop-00.ab1cd.mongodb.net")])));
        let found = door.members("mongodb", &service("shop.ab1cd.mongodb.net"), "c").unwrap();
        let shown: Vec<String> = found.iter().map(ToString::to_string).collect();
        assert_eq!(shown, ["shop-00.ab1cd.mongodb.net:27018", "shop-01.ab1cd.mongodb.net:27018"]);
        assert!(found.iter().all(|place| door.names("mongodb", place) && !door.names("postgres", place)));
        assert!(!door.names("mongodb", &service("shop-00.ab1cd.mongodb.net")), "at that port alone");
        assert_eq!(door.calls().len(), 1);
    }

    #[test]
    fn no_service_that_is_not_named_is_looked_up_and_no_member_elsewhere_is_believed() {
        let named = service("shop.ab1cd.mongodb.net");
        let elsewhere = door(server(Some(vec![(0, "shop-00.ab1cd.mongodb.net"), (0, "db.evil.example")])));
        assert_eq!(elsewhere.members("mongodb", &named, "c").unwrap_err().reason, GapReason::Malformed);
        assert!(!elsewhere.names("mongodb", &Place { host: "shop-00.ab1cd.mongodb.net".to_owned(), port: 27_018 }));
        let other = elsewhere.members("mongodb", &service("other.ab1cd.mongodb.net"), "c");
        assert_eq!(other.unwrap_err().reason, GapReason::NotAsked);
        let silent = door(server(None)).members("mongodb", &named, "c");
        assert_eq!(silent.unwrap_err().reason, GapReason::TimedOut);
        let none = door(server(Some(Vec::new()))).members("mongodb", &named, "c");
        assert!(none.is_err());
    }

    #[test]
    fn members_lie_below_the_domain_of_the_service() {
        let place = |target| member("shop.ab1cd.mongodb.net", target, 27017).map(|place| place.to_string());
        assert_eq!(place("shop-00.ab1cd.mongodb.net.").as_deref(), Some("shop-00.ab1cd.mongodb.net:27017"));
        for target in [
            "evil.example.",
            "ab1cd.mongodb.net.evil.example",
            "xab1cd.mongodb.net",
            ".ab1cd.mongodb.net",
            "10.0.0.1",
            "a b",
        ] {
            assert_eq!(place(target), None, "{target}");
        }
        // A name of two labels: below itself alone.
        assert!(member("db.example", "a.db.example", 1).is_some());
        assert!(member("db.example", "b.example", 1).is_none());
        assert!(member("localhost", "a.localhost", 27017).is_some());
    }
}
