import Foundation
import Testing
import VGGFiles

@Suite struct ShellWordTests {
    @Test(arguments: [
        ("runs/bn96", "runs/bn96"), ("folder:a,b=c@d+1%2", "folder:a,b=c@d+1%2"),
        ("größe/犬.jpg", "größe/犬.jpg"),
        ("my runs/a", "'my runs/a'"), ("it's", #"'it'\''s'"#), ("", "''"), ("a$b`c\"d\\e", "'a$b`c\"d\\e'"),
        ("~/a", "'~/a'"), ("-x", "./-x"), ("- x", "'./- x'"), ("a*b?", "'a*b?'"),
        ("a\nb\t'c\\", #"$'a\x0ab\x09\'c\\'"#), (#"g\xe4nse"#, #"$'g\xe4nse'"#), (#"a\b"#, #"'a\b'"#),
    ])
    func quotesWhatHasToBe(_ text: String, _ word: String) { #expect(text.shellWord == word) }

    /// A shell gives back what was quoted.
    @Test func shellsUnderstand() throws {
        let texts = ["it's", "a b", "$HOME", "a\"b", "größe", "*", "a\nb\u{1}'\\c", "&;|<>(){}#!"]
        for text in texts {
            let process = Process()
            process.executableURL = URL(fileURLWithPath: "/bin/bash")
            process.arguments = ["-c", "printf %s \(text.shellWord)"]
            let output = Pipe()
            process.standardOutput = output
            try process.run()
            let data = output.fileHandleForReading.readDataToEndOfFile()
            process.waitUntilExit()
            #expect(String(decoding: data, as: UTF8.self) == text)
        }
    }
}
