/// A part of a document, whatever its language, with the line that it starts on.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) line: usize,
    pub(super) value: Value,
}

#[derive(Clone, Debug)]
pub(super) enum Value {
    /// Nothing, as YAML writes it.
    Empty,
    /// A word, a number, a text.
    Text(String),
    List(Vec<Node>),
    Map(Vec<(Key, Node)>),
}

#[derive(Clone, Debug)]
pub(super) struct Key {
    pub(super) line: usize,
    pub(super) name: String,
}

/// The deepest that parts lie in parts.
pub(super) const DEEPEST: usize = 12;
