import Foundation
import Testing
import VGGFiles
import VGGFormats
import VGGModel

/// What is no weight file is called by its name, with what to do.
@Suite struct OtherFormatTests {
    private func message(_ path: String) throws -> String {
        let error = try #require(throws: (any Error).self) { try WeightFile(contentsOf: path) }
        #expect(!"\(error)".contains { $0.isNewline })
        return "\(error)"
    }

    /// Files that the libraries wrote (Scripts/goldens/other_formats.py, which tries the advice, too).
    @Test(arguments: [
        ("other/script.pt", "is a TorchScript program", "torch.save(torch.jit.load(FILE).state_dict(), "),
        (
            "other/program.pt2", "is a program of torch.export",
            "torch.save(torch.export.load(FILE).state_dict, "
        ),
        ("other/model.onnx", "is an ONNX model", "in onnx.load(FILE).graph.initializer}, "),
        ("pooled-28.onnx", "is an ONNX model", "in onnx.load(FILE).graph.initializer}, "),
        ("other/arrays.npz", "is a file of NumPy arrays", "torch.from_numpy(a) for n, a in numpy.load(FILE)"),
        (
            "other/compressed.npz", "is a file of NumPy arrays",
            "torch.from_numpy(a) for n, a in numpy.load(FILE)"
        ),
        ("other/array.npy", "is a single NumPy array", "give a file with all tensors"),
    ])
    func namesWhatLibrariesWrite(_ name: String, _ kind: String, _ advice: String) throws {
        let path = golden(name)
        let message = try message(path)
        #expect(message.hasPrefix("\(path): \(kind)"), "\(message)")
        #expect(message.contains(advice.replacing("FILE", with: path.debugDescription)), "\(message)")
    }

    @Test(arguments: [
        ("", "an empty file"), ("<!DOCTYPE html>\n<html>", "a web page"), ("\u{FEFF}\n <HTML>", "a web page"),
        (
            "version https://git-lfs.github.com/spec/v1\noid sha256:ab\nsize 553433881\n",
            "a pointer of Git LFS"
        ),
        (#"{"error": "Repository not found"}"#, "a JSON text"), ("[1, 2]", "a JSON text"),
        ("<?xml version='1.0'?><Error><Code>AccessDenied", "an XML text"),
        ("\u{1F}\u{8B}", "a file"), ("BZh91AY", "a file compressed by bzip2"),
        ("Rar!\u{1A}", "a RAR archive"),
        ("PK\u{5}\u{6}", "a ZIP archive"), ("GGUF\u{3}", "a GGUF file"), ("GIF89a", "a picture (GIF)"),
        ("\0\0\0\0TFL3", "a TensorFlow Lite model"), ("RIFF\0\0\0\0WEBPVP8 ", "a picture (WebP)"),
        ("MATLAB 5.0 MAT-file", "a MATLAB file"), ("%PDF-1.7", "a PDF document"),
        // The fields of the messages: name and layer; name and layers; version and meta graphs; node and versions.
        ("\n\u{3}VGG\u{A2}\u{6}\u{1}x", "a Caffe model"), ("\n\u{3}VGG\u{12}\u{1}x", "a Caffe model"),
        ("\u{8}\u{1}\u{12}\u{1}x", "a TensorFlow SavedModel"), ("\n\u{1}x\"\u{1}x", "a TensorFlow graph"),
    ])
    func namesWhatIsFetchedOrMistaken(_ text: String, _ kind: String) throws {
        // One byte a character.
        let bytes = text.unicodeScalars.flatMap {
            $0.value < 256 ? [UInt8($0.value)] : Array(String($0).utf8)
        }
        try withFile(Data(bytes)) { path in
            let message = try message(path)
            #expect(
                message.hasPrefix("\(path): is \(kind)") && message.contains("not a weight file; "),
                "\(message)")
        }
    }

    @Test(arguments: [
        ([0x89, 0x48, 0x44, 0x46, 0x0D, 0x0A, 0x1A, 0x0A] as [UInt8], "an HDF5 file"),
        ([0xFF, 0xD8, 0xFF, 0xE0], "a picture (JPEG)"), ([0x89, 0x50, 0x4E, 0x47, 0x0D], "a picture (PNG)"),
        ([0xFD, 0x37, 0x7A, 0x58, 0x5A, 0], "a file compressed by xz"),
        ([0x28, 0xB5, 0x2F, 0xFD, 4], "a file compressed by zstd"),
        ([0x1F, 0x8B, 8], "a file compressed by gzip"),
        ([0, 0, 0x57, 0xFB, 0x80, 0x8B, 0x24, 0x75, 0x47, 0xDB], "a TensorFlow checkpoint"),
        ([UInt8](repeating: 97, count: 257) + Array("ustar".utf8), "a tar archive"),
    ])
    func namesWhatIsBinary(_ bytes: [UInt8], _ kind: String) throws {
        try withFile(Data(bytes)) { path in
            let message = try message(path)
            #expect(message.hasPrefix("\(path): is \(kind)"), "\(message)")
        }
    }

    /// Keras's own archive; others are ZIP files of something.
    @Test func namesZIPFiles() throws {
        let keras = zipFile(
            ["config.json", "metadata.json", "model.weights.h5"].map { ZIPEntry(name: $0, content: []) })
        let archive = zipFile([ZIPEntry(name: "vgg/vgg.pth", content: [1])])
        #expect(try withFile(keras, message).contains("is a Keras model, not a weight file"))
        #expect(try withFile(archive, message).contains("unpack it"))
    }
}
