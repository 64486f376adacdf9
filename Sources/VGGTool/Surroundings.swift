import VGGKit

/// What the program takes from its surroundings and gives back to them, besides the command line and files.
enum Surroundings {
    static let help = """
        Environment:
          \(InstructionSet.environmentVariable)     The largest instruction set to use:
                          \(InstructionSet.allCases.map { "\($0)" }.joined(separator: ", ")).
          \(FreeMemory.environmentVariable)  The memory to use at most, in bytes.
          VGG_OPENCL_LIBRARY  The library of OpenCL, in place of the system's.
          XDG_CACHE_HOME  Data sets, and OpenCL's kernels as a device's driver
                          built them, are kept in its folder swift-vgg
                          (default: ~/.cache).
          HOME            The home folder, which ~ stands for.
          PATH            Where curl and sha256sum are found, which fetch and
                          check data sets.
          NO_COLOR        Set to anything: no colours, and a training's
                          chart comes at its end.
          TERM            dumb: no colours, and nothing is drawn anew.

        Exit codes:
          0        Done.
          1        Failed; standard error says why in one line.
          64       The command line or the environment is wrong.
          128 + N  Ended by signal N: 130 by Ctrl-C, 143 by kill; what was
                   trained is saved.
        """
}
