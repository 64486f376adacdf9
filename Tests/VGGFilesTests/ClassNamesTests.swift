import Foundation
import Testing
import VGGFiles
import VGGTestSupport

@Suite struct ClassNamesTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func read(_ bytes: [UInt8]) throws -> ClassNames {
        try folder.write(bytes, to: "names")
        return try ClassNames(contentsOf: "\(folder.path)/names")
    }

    private func read(_ text: String) throws -> ClassNames { try read(Array(text.utf8)) }

    /// What is refused, in words.
    private func problem(_ text: String) -> String? {
        #expect(throws: FileError.self) { try read(text) }?.reason
    }

    @Test(arguments: [
        "cat\ndog\nhen\n", "cat\r\ndog\r\nhen", "cat\rdog\rhen\n\n \n", "\u{FEFF}cat\n dog \n\then\n",
        "\"cat\"\n'dog'\nhen",
        // With numbers, in any order, before or after.
        "2 hen\n0 cat\n1 dog\n", "0: cat\n1: dog\n2: hen", "0:cat\n1:dog\n\n2:hen\n", "1,dog\n0,cat\n2,hen\n",
        "0\tcat\n1\tdog\n2\then", "0. cat\n1. dog\n2. hen", "0 - cat\n1 - dog\n2 - hen",
        "0) cat\n1) dog\n2) hen",
        "0;cat\n1;dog\n2;hen", "00 cat\n01 dog\n02 hen", "\"0\",\"cat\"\n\"2\",\"hen\"\n\"1\",\"dog\"",
        "cat 0\nhen 2\ndog 1", "cat,0\ndog,1\nhen,2", "cat: 0\ndog: 1\nhen: 2",
        "ClassId,SignName\n0,cat\n1,dog\n2,hen\n", "name,id\ncat,0\nhen,2\ndog,1",
        "names:\n  0: cat\n  1: dog\n  2: hen",
        // JSON.
        #" ["cat", "dog", "hen"]"#, #"{"0": "cat", "2": "hen", "1": "dog"}"#,
        #"{"0": ["n1", "cat"], "1": ["n2", "dog"], "2": ["n3", "hen"]}"#,
        #"[["n1", "cat"], ["n2", "dog"], ["n3", "hen"]]"#,
        #"{"cat": 0, "hen": 2, "dog": 1}"#, #"[[2, "hen"], [0, "cat"], [1, "dog"]]"#,
        #"[["cat", 0], ["hen", 2], ["dog", 1]]"#,
        #"{"architectures": ["ViT"], "id2label": {"0": "cat", "1": "dog", "2": "hen"}, "label2id": {"cat": 1}, "n": 0.5}"#,
        #"{"architecture": "vgg11", "num_classes": 3, "label_names": ["cat", "dog", "hen"], "x": null}"#,
        #"{"format": 1, "labels": ["cat", "dog", "hen"], "size": 224, "shuffle": true}"#,
        #"{"classes": ["hen"], "class_to_idx": {"cat": 0, "dog": 1, "hen": 2}}"#,
        #"[{"id": "n1", "name": "cat"}, {"name": "dog"}, {"label": "hen", "name": "x"}]"#,
        // Python.
        "{0: 'cat',\n 1: 'dog',\n 2: 'hen',\n}", "{'cat': 0, 'dog': 1, 'hen': 2}", "('cat', 'dog', 'hen',)",
        "# made by a script\nclasses = ['cat', 'dog', 'hen']  # three\n",
        "{0: u'cat', 1: u\"dog\", 2: u'hen'}",
        "const labels = [\"cat\", \"dog\", \"hen\"];\n",
        "{0: {'id': '1-n', 'label': 'cat', 'uri': ''}, 1: {'label': 'dog'}, 2: {'label': 'hen'}}",
    ]) func readsWhatPeopleHave(_ text: String) throws {
        #expect(try read(text).names == ["cat", "dog", "hen"])
    }

    @Test func readsSixteenBits() throws {
        let units = Array("\u{FEFF}cat\r\nÉmeu\r\n".utf16)
        #expect(try read(units.flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] }).names == ["cat", "Émeu"])
        #expect(try read(units.flatMap { [UInt8($0 >> 8), UInt8($0 & 0xFF)] }).names == ["cat", "Émeu"])
    }

    /// An empty line is a class without a name.
    @Test func namesMayBeAnything() throws {
        #expect(
            try read("tench\n great white shark \r\n\nhen\n\n").names == [
                "tench", "great white shark", "", "hen",
            ])
        // Names that look like something else.
        for names in [
            ["class 0", "class 1", "class 2"], ["0", "1", "2"], ["7-up", "747", "2CV"],
            ["Boeing 707", "Boeing 737"],
            ["001.Black_footed_Albatross", "002.Laysan_Albatross"],
            ["tench, Tinca tinca", "great white shark"],
            ["ace of clubs", "2 of clubs", "2 of hearts"], ["n01440764", "n01443537"], ["(none)", "cat"],
            ["#1", "#2"],
        ] { #expect(try read(names.joined(separator: "\n")).names == names) }
        #expect(try read(#"{"0": 0, "2": 2, "1": 1}"#).names == ["0", "1", "2"])
        #expect(
            try read(#"["a\tb\/\"\\", "\u00e9\ud83d\ude00", 'it\'s', "\x41\101\U0001F600"]"#).names
                == ["a\tb/\"\\", "é😀", "it's", "AA😀"])
        #expect(
            try read("0,\"tench, Tinca tinca\"\n1,\"the \"\"goldfish\"\"\"").names == [
                "tench, Tinca tinca", "the \"goldfish\"",
            ])
        // The text that prints a thousand classes, by its beginning.
        #expect(
            try read("{0: 'tench, Tinca tinca',\n 1: \"Carassius's auratus\",\n 2: 'white shark'}").names
                == ["tench, Tinca tinca", "Carassius's auratus", "white shark"])
    }

    @Test func identifiersAreOtherNames() throws {
        for text in [
            "n01440764 tench, Tinca tinca\nn02012849 crane\nn03126707 crane\n",
            "n01440764\ttench, Tinca tinca\nn02012849\tcrane\nn03126707\tcrane\n",
            "1 n02012849 crane\n0 n01440764 tench, Tinca tinca\n2 n03126707 crane\n",
            "n01440764 0 tench, Tinca tinca\nn03126707 2 crane\nn02012849 1 crane\n",
            "id,wnid,name\n0,n01440764,\"tench, Tinca tinca\"\n1,n02012849,crane\n2,n03126707,crane\n",
            #"{"0": ["n01440764", "tench, Tinca tinca"], "1": ["n02012849", "crane"], "2": ["n03126707", "crane"]}"#,
        ] {
            let names = try read(text)
            #expect(names.names == ["tench, Tinca tinca", "crane", "crane"])
            #expect(names.numbers(of: "n02012849") == [1] && names.numbers(of: "n03126707") == [2])
            #expect(names.numbers(of: "tench") == [0] && names.numbers(of: "tench, Tinca tinca") == [0])
            #expect(names.numbers(of: "crane") == [1, 2] && names.numbers(of: "Tinca tinca") == [])
            #expect(names.repeated.isEmpty)
        }
        let repeated = try read("dog\ncat\ndog\n\n\ncat\ndog").repeated
        #expect(repeated.map(\.name) == ["dog", "cat"] && repeated.map(\.numbers) == [[0, 2, 6], [1, 5]])
    }

    @Test(arguments: [
        ("", "is empty"), ("\n \n", "is empty"), ("{", "ends too early"), ("[1]", "element 0"),
        ("{\"1\": \"hen\"}", "class 0"), ("{\"0\": [\"hen\"]}", "class 0"), ("{\"0\": 1}", "class 0"),
        (String(repeating: "[", count: 100_000), "too deep"), ("[\"cat\" \"dog\"]", "expected ',' or ']'"),
        ("[\"cat\",\n\"dog\", hen]", "line 2"), ("[\"cat\"] 1", "something follows"),
        ("{\"a\": {\"b\": 1}}", "\"a\""),
        ("{\"0\": \"cat\", \"0\": \"dog\"}", #"class 0 two names, "cat" and "dog""#),
        ("{\"cat\": 0, \"dog\": 0}", #"class 0 two names, "cat" and "dog""#), ("[\"cat\n", "does not end"),
        ("0 cat\n1 dog\n3 hen\n", "no name for class 2, but one for class 3"),
        ("1 cat\n2 dog\n", "no name for class 0"),
        ("0 cat\n1 dog\n1 hen", #"class 1 two names, "dog" and "hen""#),
        ("0 cat\n1 dog\nhen\n3 emu", #"no number, or no name, in "hen""#),
        ("0: cat\n1:\n2: dog", #"in "1:""#),
        ("{\"21\": \"lily\", \"3\": \"poppy\"}", "no name for class 0, but one for class 21"),
        ("<!DOCTYPE html>\n<html>", "web page"),
        ("version https://git-lfs.github.com/spec/v1\noid 1", "git lfs pull"),
        ("[\"\\ud800\"]", "surrogate"), ("[\"\\q\"]", "no escape"), ("{0.5: 'cat'}", "no class's number"),
        ("{'cat', 'dog'}", "expected ':'"),
    ]) func saysWhatIsWrong(_ text: String, _ says: String) throws {
        let reason = try #require(problem(text))
        #expect(reason.contains(says), "\(reason)")
        #expect(!reason.contains("\n"))
    }

    @Test func refusesWhatIsNoText() throws {
        for bytes in [[0xFF, 0xFE, 0x00], [0x63, 0xE9, 0x0A], [0x63, 0x00], [0x89, 0x50, 0x4E, 0x47]]
            as [[UInt8]]
        {
            let error = #expect(throws: FileError.self) { try read(bytes) }
            #expect(error?.reason.contains("not text in UTF-8; give one name a line") == true)
        }
        for path in ["missing", ""] {
            #expect(throws: FileError.self) { try ClassNames(contentsOf: "\(folder.path)/\(path)") }
        }
    }

    /// A pipe has no size, and cannot be read twice.
    @Test func readsAPipe() throws {
        let pipe = Pipe()
        try pipe.fileHandleForWriting.write(contentsOf: Data("cat\ndog\n".utf8))
        try pipe.fileHandleForWriting.close()
        let path = "/dev/fd/\(pipe.fileHandleForReading.fileDescriptor)"
        #expect(try ClassNames(contentsOf: path).names == ["cat", "dog"])
    }
}
