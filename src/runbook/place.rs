//! Where something is done or known: on a host, or on none. The types here cannot be empty: what holds on all
//! of no hosts never counts as a success.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;

use futures::future::join_all;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use jumpdeck_fleet::names::{HostName, NameError};

/// A place: a host, or no host in particular (a question to the operator, a value known by itself). In JSON it is the
/// host's name, and `""` for none.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// On no host.
    Nowhere,
    /// On this host.
    Host(HostName),
}

impl Place {
    /// The host with that name; `""` is no host.
    ///
    /// # Errors
    /// When it is not a host name.
    pub fn new(name: &str) -> Result<Self, NameError> {
        if name.is_empty() { Ok(Self::Nowhere) } else { HostName::new(name).map(Self::Host) }
    }

    /// The host, when there is one.
    #[must_use]
    pub fn host(&self) -> Option<&HostName> {
        match self {
            Self::Nowhere => None,
            Self::Host(host) => Some(host),
        }
    }

    /// The host's name; empty for none.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.host().map_or("", HostName::as_str)
    }
}

impl From<HostName> for Place {
    fn from(host: HostName) -> Self {
        Self::Host(host)
    }
}

impl From<&HostName> for Place {
    fn from(host: &HostName) -> Self {
        Self::Host(host.clone())
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl Serialize for Place {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Place {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        Self::new(&name).map_err(serde::de::Error::custom)
    }
}

/// Where a task is done: on no host, or on at least one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Places(Vec<Place>);

impl Places {
    /// On no host.
    #[must_use]
    pub fn nowhere() -> Self {
        Self(vec![Place::Nowhere])
    }

    /// On that host.
    #[must_use]
    pub fn host(host: HostName) -> Self {
        Self(vec![Place::Host(host)])
    }

    /// On these hosts; `None` when there is none.
    #[must_use]
    pub fn hosts_of(hosts: impl IntoIterator<Item = HostName>) -> Option<Self> {
        let places: Vec<Place> = hosts.into_iter().map(Place::Host).collect();
        (!places.is_empty()).then_some(Self(places))
    }

    /// The places; at least one.
    pub fn iter(&self) -> impl Iterator<Item = &Place> {
        self.0.iter()
    }

    /// The hosts; none for no host.
    pub fn hosts(&self) -> impl Iterator<Item = &HostName> {
        self.0.iter().filter_map(Place::host)
    }

    /// The hosts' names with a comma between them; empty for no host.
    #[must_use]
    pub fn names(&self, between: &str) -> String {
        self.hosts().map(HostName::as_str).collect::<Vec<_>>().join(between)
    }

    /// Whether it is one of them.
    #[must_use]
    pub fn contains(&self, place: &Place) -> bool {
        self.0.contains(place)
    }

    /// Those that fit; `None` when none does.
    #[must_use]
    pub fn only(&self, fits: impl Fn(&Place) -> bool) -> Option<Self> {
        let places: Vec<Place> = self.0.iter().filter(|place| fits(place)).cloned().collect();
        (!places.is_empty()).then_some(Self(places))
    }

    /// Something for each of them.
    pub fn each<T>(&self, mut of: impl FnMut(&Place) -> T) -> PerPlace<T> {
        PerPlace(self.0.iter().map(|place| (place.clone(), of(place))).collect())
    }

    /// Something for each of them, worked out at once.
    pub async fn each_at_once<'p, T, F: Future<Output = T>>(
        &'p self,
        of: impl Fn(&'p Place) -> F,
    ) -> PerPlace<T> {
        let all = join_all(self.0.iter().map(&of)).await;
        PerPlace(self.0.iter().cloned().zip(all).collect())
    }
}

/// Something for each of some places: at least one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct PerPlace<T>(BTreeMap<Place, T>);

impl<T> PerPlace<T> {
    /// For one place.
    #[must_use]
    pub fn one(place: Place, value: T) -> Self {
        Self(BTreeMap::from([(place, value)]))
    }

    /// Of a map; `None` when it is empty.
    #[must_use]
    pub fn of(map: BTreeMap<Place, T>) -> Option<Self> {
        (!map.is_empty()).then_some(Self(map))
    }

    /// The places and what is there.
    pub fn iter(&self) -> std::collections::btree_map::Iter<'_, Place, T> {
        self.0.iter()
    }

    /// The places and what is there, to change it.
    pub fn iter_mut(&mut self) -> std::collections::btree_map::IterMut<'_, Place, T> {
        self.0.iter_mut()
    }

    /// The places.
    pub fn places(&self) -> impl Iterator<Item = &Place> {
        self.0.keys()
    }

    /// The places, to do something else there.
    #[must_use]
    pub fn each_place(&self) -> Places {
        Places(self.0.keys().cloned().collect())
    }

    /// What is at the places.
    pub fn values(&self) -> impl Iterator<Item = &T> {
        self.0.values()
    }

    /// What is at the places, to change it.
    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.0.values_mut()
    }

    /// What is at a place.
    #[must_use]
    pub fn get(&self, place: &Place) -> Option<&T> {
        self.0.get(place)
    }

    /// What is at a place, to change it.
    pub fn get_mut(&mut self, place: &Place) -> Option<&mut T> {
        self.0.get_mut(place)
    }

    /// Adds a place, or replaces what is there.
    pub fn insert(&mut self, place: Place, value: T) {
        self.0.insert(place, value);
    }

    /// Something else for each of the places.
    #[must_use]
    pub fn map<U>(&self, mut of: impl FnMut(&Place, &T) -> U) -> PerPlace<U> {
        PerPlace(self.0.iter().map(|(place, value)| (place.clone(), of(place, value))).collect())
    }

    /// Something else for each of the places, unless one fails.
    ///
    /// # Errors
    /// The first failure.
    pub fn try_map<U, E>(&self, mut of: impl FnMut(&Place, &T) -> Result<U, E>) -> Result<PerPlace<U>, E> {
        let all = self.0.iter().map(|(place, value)| Ok((place.clone(), of(place, value)?)));
        all.collect::<Result<_, E>>().map(PerPlace)
    }

    /// As a plain map.
    #[must_use]
    pub fn into_map(self) -> BTreeMap<Place, T> {
        self.0
    }
}

impl<T> Extend<(Place, T)> for PerPlace<T> {
    fn extend<I: IntoIterator<Item = (Place, T)>>(&mut self, more: I) {
        self.0.extend(more);
    }
}

impl<'a, T> IntoIterator for &'a PerPlace<T> {
    type Item = (&'a Place, &'a T);
    type IntoIter = std::collections::btree_map::Iter<'a, Place, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

impl<'a, T> IntoIterator for &'a mut PerPlace<T> {
    type Item = (&'a Place, &'a mut T);
    type IntoIter = std::collections::btree_map::IterMut<'a, Place, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter_mut()
    }
}
