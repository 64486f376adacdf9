import HTTPTypes
import Hummingbird
import NIOCore

/// The files of the studio's page, which are a part of the program.
enum StudioPage {
    /// By address.
    static let files: KeyValuePairs<String, (bytes: [UInt8], type: String)> = [
        "/": (PackageResources.index_html, "text/html; charset=utf-8"),
        "/studio/studio.css": (PackageResources.studio_css, "text/css; charset=utf-8"),
        "/studio/words.json": (PackageResources.words_json, "application/json"),
        "/studio/studio.js": (PackageResources.studio_js, script),
        "/studio/shared.js": (PackageResources.shared_js, script),
        "/studio/runs.js": (PackageResources.runs_js, script),
        "/studio/chart.js": (PackageResources.chart_js, script),
        "/studio/network.js": (PackageResources.network_js, script),
        "/studio/try.js": (PackageResources.try_js, script),
        "/studio/errors.js": (PackageResources.errors_js, script),
        "/studio/pictures.js": (PackageResources.pictures_js, script),
        "/studio/training.js": (PackageResources.training_js, script),
        "/studio/icon.svg": (PackageResources.icon_svg, "image/svg+xml"),
    ]

    private static let script = "text/javascript; charset=utf-8"

    /// Nothing but this server's own files, no script or style within the page, and in no other page's frame. Pictures may be
    /// those that the page itself has made.
    static let policy =
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data: blob:; "
        + "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

    static var endpoints: [Endpoint] {
        files.map { path, file in
            Endpoint(.get, path, .null, access: .open) { _ in
                var response = Response(
                    status: .ok, headers: [.contentType: file.type, .contentSecurityPolicy: policy],
                    body: .init(byteBuffer: ByteBuffer(bytes: file.bytes)))
                response.headers["Referrer-Policy"] = "no-referrer"
                return response
            }
        }
    }
}
