//! The contents of a settings file of any format: plain data, without types that no reader needs.

/// A value of a settings file.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in crate::audit::site) enum SettingValue {
    /// Nothing: `null`, or a key that is not there.
    #[default]
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A text or a number.
    Text(String),
    /// A list.
    List(Vec<SettingValue>),
    /// A table, in order.
    Table(Vec<(String, SettingValue)>),
    /// A call in a script, with its arguments: `starlight({ … })`.
    Call(String, Vec<SettingValue>),
    /// Something that only running the script would give.
    Computed,
}

static NULL: SettingValue = SettingValue::Null;

impl SettingValue {
    /// Returns the value of a key, or nothing.
    pub(in crate::audit::site) fn get(&self, key: &str) -> &Self {
        match self {
            Self::Table(entries) => entries.iter().find(|(name, _)| name == key).map_or(&NULL, |(_, value)| value),
            Self::Computed => self,
            _ => &NULL,
        }
    }

    /// Returns the value at the end of a path of keys.
    pub(in crate::audit::site) fn at(&self, path: &[&str]) -> &Self {
        path.iter().fold(self, |value, key| value.get(key))
    }

    /// Returns the text, if it is one.
    pub(in crate::audit::site) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Returns the items of a list.
    pub(in crate::audit::site) fn items(&self) -> &[Self] {
        match self {
            Self::List(items) => items,
            _ => &[],
        }
    }

    /// Returns the entries of a table.
    pub(in crate::audit::site) fn entries(&self) -> &[(String, Self)] {
        match self {
            Self::Table(entries) => entries,
            _ => &[],
        }
    }

    /// Returns whether it is there.
    pub(in crate::audit::site) const fn is_set(&self) -> bool {
        !matches!(self, Self::Null)
    }

    /// Returns whether it is there and cannot be read, in whole or in part.
    pub(in crate::audit::site) fn is_computed(&self) -> bool {
        match self {
            Self::Computed | Self::Call(..) => true,
            Self::List(items) => items.iter().any(Self::is_computed),
            Self::Table(entries) => entries.iter().any(|(key, value)| key == "..." || value.is_computed()),
            Self::Null | Self::Bool(_) | Self::Text(_) => false,
        }
    }

    /// Returns the names of a list of names, tables with one key, and lists that begin with a name, or the keys of a table: the ways to
    /// write a list of plug-ins.
    pub(in crate::audit::site) fn names(&self) -> Vec<&str> {
        match self {
            Self::Table(entries) => entries.iter().map(|(key, _)| key.as_str()).collect(),
            Self::List(items) => items
                .iter()
                .filter_map(|item| match item {
                    Self::Text(text) => Some(text.as_str()),
                    Self::Table(entries) => entries.first().map(|(key, _)| key.as_str()),
                    Self::List(items) => items.first().and_then(Self::text),
                    Self::Call(name, _) => Some(name.as_str()),
                    _ => None,
                })
                .collect(),
            _ => Vec::new(),
        }
    }

    /// Calls `sink` for every text in it.
    pub(in crate::audit::site) fn texts<'a>(&'a self, sink: &mut dyn FnMut(&'a str)) {
        match self {
            Self::Text(text) => sink(text),
            Self::List(items) | Self::Call(_, items) => items.iter().for_each(|item| item.texts(sink)),
            Self::Table(entries) => entries.iter().for_each(|(_, value)| value.texts(sink)),
            Self::Null | Self::Bool(_) | Self::Computed => {}
        }
    }

    /// Returns the arguments of the first call of a function in it.
    pub(in crate::audit::site) fn call(&self, function: &str) -> Option<&[Self]> {
        match self {
            Self::Call(name, arguments) if name == function => Some(arguments),
            Self::List(items) | Self::Call(_, items) => items.iter().find_map(|item| item.call(function)),
            Self::Table(entries) => entries.iter().find_map(|(_, value)| value.call(function)),
            _ => None,
        }
    }

    /// Adds the entries of `parent` that this table lacks, at every depth.
    pub(in crate::audit::site) fn inherit(&mut self, parent: Self) {
        let (Self::Table(own), Self::Table(entries)) = (self, parent) else { return };
        for (key, value) in entries {
            match own.iter_mut().find(|(name, _)| *name == key) {
                Some((_, mine)) => mine.inherit(value),
                None => own.push((key, value)),
            }
        }
    }
}

impl From<toml::Value> for SettingValue {
    fn from(value: toml::Value) -> Self {
        match value {
            toml::Value::String(text) => Self::Text(text),
            toml::Value::Boolean(is) => Self::Bool(is),
            toml::Value::Array(items) => Self::List(items.into_iter().map(Self::from).collect()),
            toml::Value::Table(table) => {
                Self::Table(table.into_iter().map(|(key, value)| (key, Self::from(value))).collect())
            }
            other => Self::Text(other.to_string()),
        }
    }
}

impl From<serde_json::Value> for SettingValue {
    fn from(value: serde_json::Value) -> Self {
        match value {
            serde_json::Value::Null => Self::Null,
            serde_json::Value::Bool(is) => Self::Bool(is),
            serde_json::Value::Number(number) => Self::Text(number.to_string()),
            serde_json::Value::String(text) => Self::Text(text),
            serde_json::Value::Array(items) => Self::List(items.into_iter().map(Self::from).collect()),
            serde_json::Value::Object(table) => {
                Self::Table(table.into_iter().map(|(key, value)| (key, Self::from(value))).collect())
            }
        }
    }
}
