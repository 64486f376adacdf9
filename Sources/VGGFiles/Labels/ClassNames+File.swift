extension ClassNames {
    /// Many times the names of ImageNet's 21,841 classes.
    private static let maximumFileSize = 1 << 24

    /// Reads the names from a file of any of these kinds, told apart by its content; a pipe will do.
    ///
    /// * One name a line. A number before the name (`3 cat`, `3: cat`, `3,cat`) or after it (`cat,3`) decides the order,
    ///   and a line above such lines is a header. WordNet's identifiers (`n01440764 tench`) are other names.
    /// * JSON, or what Python prints: a list of names; numbers and names (`{"0": "tench"}`), also with an identifier as
    ///   in Keras's and torchvision's `imagenet_class_index.json` (`{"0": ["n01440764", "tench"]}`); names and numbers,
    ///   torchvision's `class_to_idx`; or an object with one of these in it, such as `id2label` in a `config.json` of
    ///   Hugging Face's, or `labels` in that of a run folder.
    ///
    /// Numbers must begin at 0 and have no gaps. Text is UTF-8, or UTF-16 with a byte order mark.
    /// - Throws: `FileError` that says what does not fit, and what is expected.
    public init(contentsOf path: String) throws(FileError) {
        let bytes = try WholeFile.bytes(
            path, atMost: Self.maximumFileSize, expecting: "a list of class names")
        do throws(LabelProblem) {
            try self.init(parsing: Self.text(bytes))
        } catch {
            throw FileError(path, error.reason)
        }
    }

    private init(parsing text: String) throws(LabelProblem) {
        guard text.contains(where: { !$0.isWhitespace }) else {
            throw LabelProblem("is empty; \(LabelProblem.expected)")
        }
        if text.contains("<html") || text.contains("<!DOCTYPE") || text.contains("<!doctype") {
            throw LabelProblem("is a web page; save what it shows as a text file (on GitHub: Raw)")
        }
        if text.hasPrefix("version https://git-lfs") {
            throw LabelProblem("is a pointer of Git LFS; fetch the file itself with git lfs pull")
        }
        let classes =
            if var parser = LiteralParser(text) {
                try ListedClass.classes(of: try parser.literal())
            } else {
                try ListedClass.classes(ofLines: text)
            }
        self.init(try ListedClass.ordered(classes))
    }

    private static func text(_ bytes: [UInt8]) throws(LabelProblem) -> String {
        let text: String?
        switch (bytes.first, bytes.dropFirst().first) {
        case (0xFF, 0xFE), (0xFE, 0xFF):
            let isLittle = bytes[0] == 0xFF
            let units = stride(from: 2, to: bytes.count - 1, by: 2).map {
                UInt16(bytes[isLittle ? $0 + 1 : $0]) << 8 | UInt16(bytes[isLittle ? $0 : $0 + 1])
            }
            text = bytes.count % 2 == 0 ? String(validating: units, as: UTF16.self) : nil
        default:
            let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
            text = String(
                validating: bytes.dropFirst(bytes.starts(with: mark) ? mark.count : 0), as: UTF8.self)
        }
        guard let text, !text.unicodeScalars.contains("\0") else {
            throw LabelProblem("is not text in UTF-8; \(LabelProblem.expected)")
        }
        return text
    }
}
