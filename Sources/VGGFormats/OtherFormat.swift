/// What a file or folder is that is not read as weights, and what to do with it: one table.
struct OtherFormat {
    /// How a format is recognised.
    private enum Mark {
        /// These bytes at this place.
        case bytes([UInt8], at: Int)
        /// Text that begins like this, after blanks and in any letter case.
        case text(String)
        /// The file's last bytes.
        case last([UInt8])
        /// A message of Protocol Buffers that has members with these tags: eight times the field's number, and how it is
        /// written (0 for numbers, 2 for texts and messages).
        case members([Int])
        /// A ZIP file with an entry whose path ends like this.
        case entry(String)
        /// A folder with a member whose name ends like this.
        case member(String)
        case empty

        static func ascii(_ text: String, at offset: Int = 0) -> Mark { .bytes(Array(text.utf8), at: offset) }
    }

    private let mark: Mark
    private let name: String
    /// `FILE` stands for the path as a literal of Python.
    private let advice: String

    private init(_ mark: Mark, _ name: String, _ advice: String) {
        (self.mark, self.name, self.advice) = (mark, name, advice)
    }

    /// What to say of the file, in words that follow its path.
    func reason(path: String) -> String {
        "is \(name), not a weight file; "
            + advice.replacing("FILE", with: path.debugDescription)
    }

    /// What a file with these bytes is; nil if that is not known.
    static func of(_ file: UnsafeRawBufferPointer) -> OtherFormat? {
        let start = Array(file.prefix(1024).drop { $0 == 0xEF || $0 == 0xBB || $0 == 0xBF || $0 <= 0x20 })
        let text = String(decoding: start, as: UTF8.self).lowercased()
        let tags = ProtobufMessage.tags(in: file)
        return table.first { format in
            switch format.mark {
            case .bytes(let bytes, let offset): file.dropFirst(offset).starts(with: bytes)
            case .text(let beginning): text.hasPrefix(beginning)
            case .last(let bytes): file.suffix(bytes.count).elementsEqual(bytes)
            case .members(let needed): tags?.isSuperset(of: needed) ?? false
            case .empty: file.isEmpty
            case .entry, .member: false
            }
        }
    }

    /// What a ZIP file with these entries is; nil if it may be one of `torch.save`.
    static func ofZIP(_ entries: some Collection<String>) -> OtherFormat? {
        table.first { format in
            guard case .entry(let part) = format.mark else { return false }
            return entries.contains { $0.hasSuffix(part) }
        }
    }

    /// What a folder with these members is; nil if that is not known.
    static func ofFolder(_ members: [String]) -> OtherFormat? {
        table.first { format in
            guard case .member(let ending) = format.mark else { return false }
            return members.contains { $0.hasSuffix(ending) }
        }
    }

    // MARK: - The table

    private static let python = "write its weights with PyTorch in Python: "
    private static let keras = """
        write its weights to safetensors under torchvision's names, with kernels as [out, in, height, width] and \
        matrices as [out, in]
        """
    private static let caffe =
        "write its weights to safetensors under torchvision's names, in the order they have"
    private static let unpack = "unpack it and give the weight file in it"
    private static let swapped = "give the weights first, and the pictures after them"

    private static let table: [OtherFormat] = [
        OtherFormat(.empty, "an empty file", "fetch or save it again"),
        // What torch.save's own container holds otherwise.
        OtherFormat(
            .entry("/constants.pkl"), "a TorchScript program",
            python + #"torch.save(torch.jit.load(FILE).state_dict(), "weights.pth")"#),
        OtherFormat(
            .entry("/archive_format"), "a program of torch.export",
            python + #"torch.save(torch.export.load(FILE).state_dict, "weights.pth")"#),
        OtherFormat(
            .entry("serialized_exported_program.json"), "a program of torch.export",
            python + #"torch.save(torch.export.load(FILE).state_dict, "weights.pth")"#),
        OtherFormat(.entry("model.weights.h5"), "a Keras model", keras),
        OtherFormat(
            .entry(".npy"), "a file of NumPy arrays (.npz)",
            python
                + #"torch.save({n: torch.from_numpy(a) for n, a in numpy.load(FILE).items()}, "weights.pth")"#
        ),
        OtherFormat(
            .members([8, 7 * 8 + 2]), "an ONNX model",
            python
                + """
                torch.save({t.name: torch.from_numpy(onnx.numpy_helper.to_array(t).copy()) for t in \
                onnx.load(FILE).graph.initializer}, "weights.pth")
                """),
        OtherFormat(.bytes([0x89, 0x48, 0x44, 0x46], at: 0), "an HDF5 file, as of Keras or MATLAB", keras),
        OtherFormat(.members([8, 2 * 8 + 2]), "a TensorFlow SavedModel, or a Core ML model", keras),
        OtherFormat(.member("saved_model.pb"), "a TensorFlow SavedModel", keras),
        OtherFormat(
            .last([0x57, 0xFB, 0x80, 0x8B, 0x24, 0x75, 0x47, 0xDB]), "a TensorFlow checkpoint", keras),
        OtherFormat(.member(".ckpt.index"), "a folder of TensorFlow checkpoints", keras),
        OtherFormat(.ascii("TFL3", at: 4), "a TensorFlow Lite model", keras),
        OtherFormat(.members([8 + 2, 4 * 8 + 2]), "a TensorFlow graph", keras),
        OtherFormat(.members([8 + 2, 2 * 8 + 2]), "a Caffe model", caffe),
        OtherFormat(.members([8 + 2, 100 * 8 + 2]), "a Caffe model", caffe),
        OtherFormat(.ascii("MATLAB 5.0"), "a MATLAB file", keras),
        OtherFormat(.ascii("GGUF"), "a GGUF file, which is of language models", "give the weights of a VGG"),
        OtherFormat(
            .bytes([0x93, 0x4E, 0x55, 0x4D, 0x50, 0x59], at: 0), "a single NumPy array (.npy)",
            "give a file with all tensors under their names"),
        // What a fetch may bring instead of the file.
        OtherFormat(
            .text("version https://git-lfs.github.com/"), "a pointer of Git LFS",
            "fetch the file it stands for: git lfs pull"),
        OtherFormat(
            .text("<!doctype html"), "a web page", "fetch the file again with the address of the file itself"),
        OtherFormat(.text("<html"), "a web page", "fetch the file again with the address of the file itself"),
        OtherFormat(
            .text("<?xml"), "an XML text, such as a server's error",
            "look into it, and fetch the file again"),
        OtherFormat(.text("{"), "a JSON text", "look into it: it may be a server's error; give the weights"),
        OtherFormat(.text("["), "a JSON text", "look into it: it may be a server's error; give the weights"),
        OtherFormat(
            .bytes([0x1F, 0x8B], at: 0), "a file compressed by gzip", "unpack it: gunzip, or tar -xzf"),
        OtherFormat(.ascii("BZh"), "a file compressed by bzip2", "unpack it: bunzip2, or tar -xjf"),
        OtherFormat(
            .bytes([0xFD, 0x37, 0x7A, 0x58, 0x5A], at: 0), "a file compressed by xz",
            "unpack it: unxz, or tar -xJf"),
        OtherFormat(
            .bytes([0x28, 0xB5, 0x2F, 0xFD], at: 0), "a file compressed by zstd", "unpack it: unzstd"),
        OtherFormat(.bytes([0x37, 0x7A, 0xBC, 0xAF], at: 0), "a 7z archive", unpack),
        OtherFormat(.ascii("Rar!"), "a RAR archive", unpack),
        OtherFormat(.ascii("ustar", at: 257), "a tar archive", unpack),
        OtherFormat(.ascii("PK"), "a ZIP archive", unpack),
        OtherFormat(.bytes([0xFF, 0xD8, 0xFF], at: 0), "a picture (JPEG)", swapped),
        OtherFormat(.bytes([0x89, 0x50, 0x4E, 0x47], at: 0), "a picture (PNG)", swapped),
        OtherFormat(.ascii("GIF8"), "a picture (GIF)", swapped),
        OtherFormat(.ascii("WEBP", at: 8), "a picture (WebP)", swapped),
        OtherFormat(.ascii("BM"), "a picture (BMP)", swapped),
        OtherFormat(.ascii("%PDF"), "a PDF document", "give the weights"),
    ]
}
