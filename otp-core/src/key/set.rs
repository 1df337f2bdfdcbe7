//! The keys of one moment.

use std::{fmt, sync::Arc};

use super::{KeyId, KeyMaterial};

/// Holds the current key and the older ones as they stood when the snapshot was taken.
///
/// It never changes: whoever holds it finishes with the keys it began with, whatever is rotated meanwhile.
#[derive(Clone)]
pub struct KeySet {
    current: Arc<KeyMaterial>,
    older: Vec<Arc<KeyMaterial>>,
}

impl KeySet {
    pub(super) fn new(current: KeyMaterial) -> Self {
        Self {
            current: Arc::new(current),
            older: Vec::new(),
        }
    }

    /// Gives the key with which new values are made.
    #[must_use]
    pub fn current(&self) -> &KeyMaterial {
        &self.current
    }

    /// Finds a key by the id that a value names.
    #[must_use]
    pub fn get(&self, id: &KeyId) -> Option<&KeyMaterial> {
        self.all().find(|material| material.id() == id)
    }

    /// Lists the ids, the current one first, then the older ones from the newest on.
    pub fn ids(&self) -> impl Iterator<Item = &KeyId> {
        self.all().map(KeyMaterial::id)
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &KeyMaterial> {
        std::iter::once(&self.current)
            .chain(&self.older)
            .map(Arc::as_ref)
    }

    pub(super) fn with_older(mut self, material: KeyMaterial) -> Self {
        self.older.push(Arc::new(material));
        self
    }

    pub(super) fn rotated_to(mut self, material: KeyMaterial) -> Self {
        let previous = std::mem::replace(&mut self.current, Arc::new(material));
        self.older.insert(0, previous);
        self
    }

    /// Gives the set as it is for what was begun with a key: new values for it are made with that
    /// one, so that all of it hangs on one key, which it names. Where the key is gone, with the
    /// current one.
    pub(crate) fn begun_with(&self, id: &KeyId) -> Self {
        self.clone().promoted(id).unwrap_or_else(|| self.clone())
    }

    pub(super) fn promoted(mut self, id: &KeyId) -> Option<Self> {
        if self.current.id() == id {
            return Some(self);
        }
        let place = self.older.iter().position(|key| key.id() == id)?;
        let chosen = self.older.remove(place);
        let previous = std::mem::replace(&mut self.current, chosen);
        self.older.insert(0, previous);
        Some(self)
    }

    pub(super) fn without(mut self, id: &KeyId) -> Self {
        self.older.retain(|material| material.id() != id);
        self
    }
}

impl fmt::Debug for KeySet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeySet")?;
        f.debug_list()
            .entries(self.ids().map(KeyId::as_str))
            .finish()
    }
}
