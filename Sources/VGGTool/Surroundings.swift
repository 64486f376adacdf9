import VGGKit

/// What the program takes from its surroundings and gives back to them, besides the command line and files.
enum Surroundings {
    static let help = """
        Environment:
          \(InstructionSet.environmentVariable)    The largest instruction set to use:
                         \(InstructionSet.allCases.map { "\($0)" }.joined(separator: ", ")).
          \(FreeMemory.environmentVariable)  The memory there is, in bytes, where it is less than the machine's.
          XDG_CACHE_HOME  Fetched data sets are kept in its folder swift-vgg
                         (default: ~/.cache).

        Exit codes:
          0   Done.
          1   Failed; the reason is on standard error, in one line.
          64  The command line, or the environment, is wrong.
          128 + N  Ended by signal N: 130 by Ctrl-C, 143 by kill. A training is
                   saved first.
        """
}
