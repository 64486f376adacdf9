/// Lists of numbers that are words of their own, as timm's and torchvision's scripts take them.
enum SeparatedNumbers {
    private static let channels: Set = ["--mean", "--std"]
    private static let lists: Set = [
        "--scale", "--ratio", "--color-jitter", "--cutmix-minmax", "--opt-betas", "--decay-milestones",
    ]

    /// A command line in which `--mean 0.485 0.456 0.406` became `--mean 0.485,0.456,0.406`, and `--scale 0.08 1`
    /// `--scale 0.08,1`. After a mean and a standard deviation, which commands have that also take files, only three numbers
    /// are a list.
    static func joining(_ arguments: [String]) -> [String] {
        var result: [String] = []
        var rest = arguments[...]
        while let argument = rest.popFirst() {
            result.append(argument)
            guard argument != "--" else { return result + rest }
            let numbers: ArraySlice<String>
            if channels.contains(argument) {
                numbers = rest.prefix(3)
                guard numbers.count == 3, numbers.allSatisfy({ Float($0) != nil }) else { continue }
            } else if lists.contains(argument) {
                numbers = rest.prefix { Double($0) != nil }
            } else {
                continue
            }
            guard !numbers.isEmpty else { continue }
            result.append(numbers.joined(separator: ","))
            rest = rest.dropFirst(numbers.count)
        }
        return result
    }
}
