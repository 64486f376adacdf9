extension String {
    /// The folder in which the file or folder of this path is: `.` for a name alone, `/` for what has no other.
    ///
    /// (Foundation's `deletingLastPathComponent` ends the program for a relative path of one letter.)
    package var parentFolder: String {
        func withoutEndingSlashes(_ path: Substring) -> Substring {
            let end = path.lastIndex { $0 != "/" }.map(path.index(after:)) ?? path.startIndex
            return path[..<end]
        }
        let name = withoutEndingSlashes(self[...])
        guard let slash = name.lastIndex(of: "/") else { return name.isEmpty && hasPrefix("/") ? "/" : "." }
        let parent = withoutEndingSlashes(name[..<slash])
        return parent.isEmpty ? "/" : String(parent)
    }
}
