/// The version of this package.
public let vggVersion = "0.1.0"
