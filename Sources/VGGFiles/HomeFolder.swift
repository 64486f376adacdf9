import Foundation

/// The user's home folder, as the shell has it.
package enum HomeFolder {
    /// `$HOME`, or where that is not set what the system's list of users says.
    package static var path: String {
        let variable = ProcessInfo.processInfo.environment["HOME"] ?? ""
        return variable.isEmpty ? FileManager.default.homeDirectoryForCurrentUser.path : variable
    }

    /// Where what can be had again is kept: `$XDG_CACHE_HOME/swift-vgg`, or `$HOME/.cache/swift-vgg` if the variable is not
    /// an absolute path (XDG Base Directory Specification).
    package static var cache: String {
        let variable = ProcessInfo.processInfo.environment["XDG_CACHE_HOME"] ?? ""
        return "\(variable.hasPrefix("/") ? variable : "\(path)/.cache")/swift-vgg"
    }

    /// The path with a `~` or `~user` at its beginning replaced by that home folder; shells leave one as it is behind
    /// a colon or an equals sign.
    package static func expandingTilde(_ path: String) -> String {
        guard path.hasPrefix("~") else { return path }
        let end = path.firstIndex(of: "/") ?? path.endIndex
        let user = String(path[..<end].dropFirst())
        if user.isEmpty { return Self.path + path[end...] }
        guard let entry = getpwnam(user), let home = entry.pointee.pw_dir else { return path }
        return String(cString: home) + path[end...]
    }
}
