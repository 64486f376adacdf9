extension String {
    /// A name that comes from a file, escaped and cut, so that an error that shows it stays one line.
    package var quotedName: String { count <= 100 ? debugDescription : "\(prefix(100))…".debugDescription }
}

extension [String] {
    /// The first few of many, with commas between them.
    package var firstFew: String { prefix(5).joined(separator: ", ") + (count > 5 ? ", …" : "") }
}
