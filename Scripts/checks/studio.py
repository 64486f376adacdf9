"""Starts `vgg-server` and goes through the six parts of its studio with a headless Chromium, as people do.

The console must stay silent, and no request may leave the machine. Fashion-MNIST must be there (`vgg data fashion-mnist`).
"""

import argparse
import base64
import json
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import time

from selenium import webdriver
from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select, WebDriverWait

PHOTOS = pathlib.Path(__file__).parents[2] / "Tests/VGGImagesTests/Goldens/photos"
STYLIZED = pathlib.Path(__file__).parents[2] / "Sources/VGGKit/VGGKit.docc/stylized.png"
SMALL = ["--recipe", "quick", "--train-limit", "2000", "--test-limit", "500"]


def start_server(arguments, runs):
    process = subprocess.Popen(
        [arguments.server, "--runs", runs, "--vgg", str(pathlib.Path(arguments.vgg).resolve()), "--port", "0"],
        stderr=subprocess.PIPE, text=True)
    for line in process.stderr:
        found = re.search(r"the studio is at (http://\S+)", line)
        if found:
            subprocess.Popen(["cat"], stdin=process.stderr, stdout=open(arguments.log, "w"))
            return process, found[1]
    raise SystemExit("the server does not start")


def start_browser():
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium")
    for flag in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--window-size=1280,900",
                 "--disable-background-networking", "--disable-component-update", "--no-first-run",
                 "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1", "--force-color-profile=srgb"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    service = webdriver.ChromeService(executable_path=shutil.which("chromedriver"))
    return webdriver.Chrome(options=options, service=service)


class Studio:
    def __init__(self, browser, address, screenshots):
        self.browser, self.address, self.screenshots = browser, address, screenshots
        self.requests = []

    def find(self, selector):
        return self.browser.find_element(By.CSS_SELECTOR, selector)

    def all(self, selector):
        return self.browser.find_elements(By.CSS_SELECTOR, selector)

    def attribute(self, selector, name):
        """Of the first such element, in one go: it may be drawn anew at any time."""
        return self.browser.execute_script(
            "return document.querySelector(arguments[0])?.getAttribute(arguments[1])", selector, name)

    def press(self, selector):
        """The first such element, by the keyboard, wherever it is on the page and whatever is drawn anew."""
        self.browser.execute_script("document.querySelector(arguments[0]).focus()", selector)
        self.browser.switch_to.active_element.send_keys(Keys.SPACE)

    def wait(self, condition, what, seconds=60):
        drawn_anew = [StaleElementReferenceException]
        WebDriverWait(self.browser, seconds, 0.2, drawn_anew).until(lambda _: condition(), f"waited for {what}")

    def part(self, name):
        self.find(f"nav a[href='#{name}']").click()
        self.wait(lambda: self.find(f"#view-{name}").is_displayed(), name)

    def look(self, name, whole=True):
        """A screenshot of the page, from its top to its end."""
        if not self.screenshots:
            return
        time.sleep(0.3)
        parameters = {"format": "png", "captureBeyondViewport": whole}
        if whole:
            # Else the bar at the top stands where a click has scrolled to.
            self.browser.execute_script("scrollTo(0, 0)")
            size = self.browser.execute_cdp_cmd("Page.getLayoutMetrics", {})["cssContentSize"]
            parameters["clip"] = {"x": 0, "y": 0, "width": size["width"], "height": min(size["height"], 3000), "scale": 1}
        picture = self.browser.execute_cdp_cmd("Page.captureScreenshot", parameters)["data"]
        (self.screenshots / f"{name}.png").write_bytes(base64.b64decode(picture))

    def check_log(self):
        """No word on the console, no request to another place."""
        words = [entry for entry in self.browser.get_log("browser") if entry["level"] != "INFO"]
        assert not words, words
        for entry in self.browser.get_log("performance"):
            message = json.loads(entry["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                self.requests.append(message["params"]["request"]["url"])
        own = self.address.split("#")[0]
        others = [url for url in self.requests if not url.startswith((own, "data:", "blob:"))]
        assert not others, others


def check_runs(studio):
    studio.part("runs")
    studio.wait(lambda: len(studio.all("#runs-table tbody tr")) == 2, "two runs")
    studio.wait(lambda: len(studio.all("#chart path")) == 4, "training and test curves of both runs")
    text = studio.find("#runs-table").text
    assert "finished" in text and "learning rate" in text, text
    before = studio.find("#chart path").get_attribute("d")
    slider = studio.find("#smoothing")
    slider.send_keys(*[Keys.ARROW_RIGHT] * 60)
    studio.wait(lambda: studio.find("#chart path").get_attribute("d") != before, "smooth curves")
    Select(studio.find("#figure")).select_by_value("acc")
    studio.wait(lambda: len(studio.all("#chart path")) == 4, "accuracies")
    studio.find("#log").send_keys(Keys.SPACE)
    studio.look("runs")
    studio.find("#log").send_keys(Keys.SPACE)
    Select(studio.find("#figure")).select_by_value("loss")
    studio.find("#filter").send_keys("second")
    studio.wait(lambda: len(studio.all("#runs-table tbody tr")) == 1, "one run")
    studio.find("#filter").send_keys(Keys.CONTROL, "a", Keys.BACKSPACE)
    studio.wait(lambda: len(studio.all("#runs-table tbody tr")) == 2, "both runs")
    studio.press("#runs-table input")
    studio.wait(lambda: len(studio.all("#chart path")) == 2, "the curves of one run")
    studio.press("#runs-table input")
    print("runs: table, curves, smoothing, accuracy, filter, choice")


def check_network(studio):
    studio.part("network")
    studio.wait(lambda: studio.all("#drawing g[role=button]"), "the drawing")
    studio.press("#drawing g[role=button]")
    studio.wait(lambda: "convolution slides" in studio.find("#layer").text, "what a convolution is")
    assert "conv1_1" in studio.find("#layer").text
    studio.look("network")
    Select(studio.find("#network-choice")).select_by_value("architectures/vgg16")
    studio.wait(lambda: "138,357,544" in studio.find("#drawing").text, "VGG-16")
    print("network: drawing, a layer's explanation by keyboard, VGG-16")


def check_try(studio):
    studio.part("try")
    studio.find("#test-number").clear()
    studio.find("#test-number").send_keys("0")
    studio.find("#test-next").click()
    studio.wait(lambda: "pullover" in studio.find("#answer .hint").text, "the second test image")
    assert len(studio.all("#answer .bars li")) == 5 and len(studio.all("#maps canvas")) >= 16
    assert studio.find("#test-number").get_attribute("value") == "1"
    studio.look("try")
    # Another class: the heat map is of that.
    hint = studio.all("#answer .hint")[-1].text
    studio.all("#answer .bars button")[1].click()
    studio.wait(lambda: studio.all("#answer .hint")[-1].text != hint, "why it could be the second class")
    # Drawn trousers.
    canvas = studio.find("#sketch")
    draw = webdriver.ActionChains(studio.browser, duration=0)
    for x in (-40, -20, 20, 40):
        draw.move_to_element_with_offset(canvas, x // 2, -100).click_and_hold().move_to_element_with_offset(
            canvas, x, 100).release()
    draw.perform()
    studio.find("#sketch-ask").click()
    studio.wait(lambda: len(studio.all("#answer .hint")) == 1, "an answer about the drawing")
    studio.look("try-drawn")
    # A file, as dropping and pasting give it.
    with tempfile.NamedTemporaryFile(suffix=".png") as file:
        picture = studio.find("#answer img").get_attribute("src").split(",")[1]
        file.write(base64.b64decode(picture))
        file.flush()
        studio.browser.execute_script("document.querySelector('#answer h3').id = 'old'")
        studio.find("#file").send_keys(file.name)
        studio.wait(lambda: not studio.all("#old") and studio.all("#answer h3"), "an answer about the file")
    print("try it: the test set, another class, a drawing, a file")


def check_errors(studio):
    studio.part("errors")
    studio.wait(lambda: studio.all("#errors .matrix"), "the confusion matrix", 300)
    assert len(studio.all("#errors .matrix button")) == 100
    accuracy = float(re.match(r"[\d.]+", studio.find("#errors .figures").text)[0])
    assert accuracy > 90, accuracy
    count = int(studio.find("[data-cell='6 0']").text)
    studio.press("[data-cell='6 0']")
    studio.wait(lambda: len(studio.all("#cell figure")) == min(count, 60), "the images of a cell")
    assert studio.all("#errors .gallery .guess"), "the surest mistakes"
    studio.look("errors")
    print(f"where it errs: accuracy {accuracy} %, {count} shirts taken for T-shirts, the surest mistakes")


def check_pictures(studio):
    """Two pictures are compared, one grows in the manner of the other to its end, and another until it is stopped."""
    studio.part("pictures")
    for place, picture in enumerate((STYLIZED, PHOTOS / "baseline-444.jpg")):
        studio.find(f"[data-slot='{place}']").send_keys(str(picture))
    studio.wait(lambda: studio.all("[data-distance=features]"), "the distance")
    distance = float(studio.find("[data-distance=features]").text)
    layers = len(studio.all("#distance .bars li"))
    assert distance > 0 and layers > 2, (distance, layers)
    studio.press("#swap")
    studio.wait(lambda: studio.all("[data-distance=features]"), "the distance the other way")
    assert float(studio.find("[data-distance=features]").text) == distance
    studio.press("#swap")
    studio.wait(lambda: studio.all("[data-distance=features]"), "the distance again")

    def options(size, steps):
        Select(studio.find("#paint-size")).select_by_value(size)
        studio.find("#paint-steps").send_keys(Keys.CONTROL, "a", Keys.BACKSPACE)
        studio.find("#paint-steps").send_keys(steps)

    options("128", "60")
    studio.press("#paint-button")
    studio.wait(lambda: studio.all(".painted"), "a picture")
    early = int(studio.attribute(".painted", "data-step"))
    studio.wait(lambda: int(studio.attribute(".painted", "data-step")) > early, "more of it")
    studio.wait(lambda: studio.attribute(".painted", "data-step") == "60", "the whole picture", 120)
    assert studio.find("#stop-button").get_attribute("disabled") and studio.all(".losses polyline")
    assert studio.find("a[download='painted.png']").get_attribute("href").startswith("blob:")
    studio.look("pictures")
    options("128", "1000")
    studio.wait(lambda: studio.find("#paint-button").is_enabled(), "the end")
    studio.press("#paint-button")
    studio.wait(lambda: studio.all(".painted"), "a picture")
    studio.press("#stop-button")
    studio.wait(lambda: studio.find("#paint-button").is_enabled(), "the stop")
    stopped = int(studio.attribute(".painted", "data-step"))
    assert 0 < stopped < 1000, stopped
    print(f"compare and paint: distance {distance} over {layers} layers, a picture of 60 steps, one stopped after {stopped}")


def check_training(studio):
    studio.part("training")
    studio.wait(lambda: studio.all("#training-form select"), "the form")
    studio.press("summary")
    for name, value in (("epochs", "40"), ("train-limit", "4000"), ("test-limit", "200")):
        field = studio.browser.find_element(By.XPATH, f"//code[text()='--{name}']/following::input[1]")
        field.send_keys(value)
    studio.press("summary")
    studio.find("#estimate-button").click()
    studio.wait(lambda: studio.all("#estimate .figures"), "the estimate", 120)
    studio.look("training")
    studio.find("#start-button").click()
    studio.wait(lambda: studio.all("[data-stop]"), "a run in training", 60)
    run = studio.find("[data-stop]").get_attribute("data-stop")
    print(f"training: estimate, {run} started")
    return run


def restart(arguments, studio, server, runs, run):
    """The training goes on without the server, and the page finds both again."""
    server.send_signal(signal.SIGTERM)
    assert server.wait(timeout=60) == 0
    process = int((pathlib.Path(runs) / run / "studio.pid").read_text())
    assert pathlib.Path(f"/proc/{process}").exists(), "the training ended with the server"
    server, studio.address = start_server(arguments, runs)
    studio.browser.get(studio.address)
    # What the page has said while nobody answered is right.
    studio.browser.get_log("browser")
    studio.part("training")
    studio.wait(lambda: studio.all(f"[data-stop='{run}']"), "the run after the restart")
    studio.find(f"[data-stop='{run}']").click()
    studio.wait(lambda: studio.all(f"[data-resume='{run}']"), "the run's end", 120)
    studio.find(f"[data-resume='{run}']").click()
    studio.wait(lambda: studio.all(f"[data-stop='{run}']"), "the run to go on", 60)
    studio.find(f"[data-stop='{run}']").click()
    studio.wait(lambda: studio.all(f"[data-resume='{run}']"), "the run's end", 120)
    print("training: went on without the server, was stopped, went on, was stopped")
    return server


def check_looks(studio):
    """Dark, Chinese, and a phone's width, on which nothing but tables and drawings is wider than the screen."""
    media = [{"name": "prefers-color-scheme", "value": "dark"}]
    studio.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": media})
    for part in ("runs", "network", "try", "errors", "pictures"):
        studio.part(part)
        if part == "errors":
            studio.wait(lambda: studio.all("#errors .matrix"), "the confusion matrix", 300)
        studio.look(f"dark-{part}")
    studio.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    studio.find("#language").click()
    assert studio.find("h2#head-pictures").text == "比较与绘制" and studio.find("html").get_attribute("lang") == "zh"
    studio.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
        "width": 390, "height": 844, "deviceScaleFactor": 2, "mobile": True})
    for part in ("runs", "network", "try", "errors", "pictures", "training"):
        studio.part(part)
        time.sleep(0.5)
        width = studio.browser.execute_script("return document.documentElement.scrollWidth")
        assert width <= 390, f"{part} is {width} pixels wide"
        if part == "network":
            cut = studio.browser.execute_script("""
                const end = document.querySelector("#drawing").getBoundingClientRect().right;
                return [...document.querySelectorAll("#drawing text")].filter((text) => /^\\d+×\\d+×\\d+$/.test(text.textContent))
                    .filter((text) => text.getBoundingClientRect().right > end).map((text) => text.textContent)""")
            assert not cut, f"the shapes {cut} are cut"
        studio.look(f"phone-{part}")
    studio.browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    studio.find("#language").click()
    print("dark, Chinese, a phone's width")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--vgg", required=True)
    parser.add_argument("--server", required=True)
    parser.add_argument("--screenshots", type=pathlib.Path, help="a folder for pictures of every part")
    parser.add_argument("--log", default="/dev/null", help="a file for the server's log")
    arguments = parser.parse_args()
    if arguments.screenshots:
        arguments.screenshots.mkdir(parents=True, exist_ok=True)

    with tempfile.TemporaryDirectory() as runs:
        for name, rate in (("first", "0.05"), ("second", "0.02")):
            subprocess.run([arguments.vgg, "train", *SMALL, "--lr", rate, "--run-dir", f"{runs}/{name}"], check=True,
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        server, address = start_server(arguments, runs)
        browser = start_browser()
        try:
            browser.get(address)
            studio = Studio(browser, address, arguments.screenshots)
            check_runs(studio)
            check_network(studio)
            check_try(studio)
            check_errors(studio)
            check_pictures(studio)
            check_looks(studio)
            run = check_training(studio)
            studio.check_log()
            server = restart(arguments, studio, server, runs, run)
            print(f"{len(studio.requests)} requests, all to this server; the console is silent")
        finally:
            browser.quit()
            server.send_signal(signal.SIGTERM)
            assert server.wait(timeout=60) == 0


if __name__ == "__main__":
    main()
