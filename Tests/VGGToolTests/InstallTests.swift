import Foundation
import Testing
import VGGKit

/// The scripts that `make install` and `make release` call.
extension ToolTests {
    /// Runs a shell's commands, in which `$0` is the program and `$scripts` the folder Scripts.
    private func shell(_ commands: String) throws -> Program.Result {
        try run("", shell: "scripts='\(Document.root.path)/Scripts'\n\(commands)\nexit")
    }

    @Test func installsAndTakesAllOfItAway() throws {
        try folder.write(Array(".TH another".utf8), to: "there/share/man/man1/vgg-server.1")
        let installed = try shell(
            "\"$scripts/install\" \"$0\" there && cd / && \"$OLDPWD/there/bin/vgg\" --version")
        #expect(installed.status == 0 && installed.errors.isEmpty, "\(installed.errors)")
        #expect(installed.output == "\(vggVersion)\n")
        let pages = try folder.names("there/share/man/man1")
        #expect(pages.contains("vgg.1") && pages.contains("vgg-train.1") && pages.contains("vgg-bench.1"))
        let page = try String(contentsOf: folder.url("there/share/man/man1/vgg-train.1"), encoding: .utf8)
        #expect(page.contains(".TP\n.B \\-\\-run\\-dir <run\\-dir>\n"))
        #expect(page.contains(".nf\n.RS 2\nvgg train"))
        for (place, word) in [
            ("share/bash-completion/completions/vgg", "--width-divisor"),
            ("share/zsh/site-functions/_vgg", "#compdef vgg\n"),
            ("share/fish/vendor_completions.d/vgg.fish", "width-divisor"),
        ] {
            let completion = try String(contentsOf: folder.url("there/\(place)"), encoding: .utf8)
            #expect(completion.contains(word), "\(place)")
        }
        #expect(try shell("bash -n there/share/bash-completion/completions/vgg").status == 0)

        #expect(try shell("\"$scripts/install\" --remove there").status == 0)
        let left = try shell("find there -type f").output
        #expect(left == "there/share/man/man1/vgg-server.1\n")
    }

    /// What `man` says of a page that it does not understand.
    @Test(.enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/groff")))
    func manualHasNoMistakes() throws {
        let result = try shell(
            "\"$scripts/manual\" \"$0\" pages && groff -K utf8 -T utf8 -man -ww pages/*.1 > shown")
        #expect(result.status == 0 && result.errors.isEmpty, "\(result.errors)")
        let shown = try String(contentsOf: folder.url("shown"), encoding: .utf8)
        #expect(shown.contains("vgg-train"))
    }

    @Test func saysWhatToBuildBeforeItIsInstalled() throws {
        let result = try shell("\"$scripts/install\" missing there")
        #expect(
            result.status == 1 && result.errors.contains("there is no missing; build it first: make build"))
        #expect(try folder.names().contains("there") == false)
    }

    @Test func makesAVersionOnlyOfWhatIsReady() throws {
        let setUp = """
            set -e
            export GIT_CONFIG_GLOBAL=/dev/null GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_NAME=a
            export GIT_COMMITTER_EMAIL=a@b LINT=true TEST=true
            cd clone
            """
        let made = try shell(
            """
            mkdir -p clone/Scripts clone/Sources/VGGFiles
            cp "$scripts/release" clone/Scripts
            \(setUp)
            git init --quiet --initial-branch main
            echo 'public let vggVersion = "0.1.0"' > Sources/VGGFiles/Version.swift
            printf '# Changes\\n\\n## 1.0.0\\n' > CHANGELOG.md
            git add . && git commit --quiet --message 'The first'
            """)
        #expect(made.status == 0, "\(made.errors)")
        func refusal(_ version: String, after preparation: String) throws -> String {
            let result = try shell("\(setUp)\n\(preparation)\nScripts/release '\(version)'")
            #expect(result.status == 1 && result.output.isEmpty)
            let state = try shell("\(setUp)\ngit tag; git log --format=%s")
            #expect(state.output == "The first\n")
            _ = try shell("\(setUp)\ngit checkout --quiet --force main && git clean --quiet -d --force")
            return result.errors
        }
        #expect(try refusal("1.0", after: "").contains("'1.0' is no version such as 1.0.0"))
        #expect(try refusal("1.0.0", after: "git checkout --quiet -B other").contains("this is other"))
        #expect(try refusal("1.0.0", after: "echo > other").contains("not committed"))
        #expect(try refusal("1.0.1", after: "").contains("CHANGELOG.md has no heading '## 1.0.1'"))
        #expect(try refusal("0.0.9", after: "").contains("0.0.9 comes before 0.1.0"))
        #expect(try refusal("1.0.0", after: "TEST=false").contains("tests fail"))
        #expect(try refusal("1.0.0", after: "LINT=false").contains("the format is not right"))

        let released = try shell("\(setUp)\nScripts/release 1.0.0")
        #expect(released.status == 0, "\(released.errors)")
        let state = try shell(
            "\(setUp)\ngit tag; git log --format=%s; git status --porcelain; cat Sources/VGGFiles/Version.swift"
        )
        #expect(state.output == "1.0.0\nVersion 1.0.0\nThe first\npublic let vggVersion = \"1.0.0\"\n")
        let again = try shell("\(setUp)\nScripts/release 1.0.0")
        #expect(again.status == 1 && again.errors.contains("there is a tag 1.0.0 already"))
    }
}
