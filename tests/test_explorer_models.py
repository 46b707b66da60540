"""The Explorer runs whatever model `headstart export-web` put there: of other sizes, and another after the first.

It needs Debian's Chromium: `apt-get install -y chromium`.
"""

import json
import os
import shutil
from dataclasses import asdict

import pytest
import torch
from built import served
from explorer_site import SUB_PATH, open_explorer, press, texts, type_text
from test_export_web_graph import loaded, random_weights
from web_models import CFG, byte_level, write_run

from graders.model_folder import read_model
from graders.web.export import web_model, write_files
from reference.config import GPTConfig

pytestmark = pytest.mark.usefixtures("in_float64_without_gradients")

TEXT = "né 👩‍👧!"  # more bytes, and so tokens, than the small model's window of 8
SMALLEST = GPTConfig(d_vocab=256, n_ctx=1, n_layers=1, n_heads=1, d_model=4, d_head=1, d_mlp=1)
LONG_AGO = 1_600_000_000  # seconds; what is that old, a browser keeps for days unless it is told to ask
STATUS = "mine, trained on hamlet.txt: {} layers, {} heads, width {}, {} tokens in its vocabulary, {} in a text."


@pytest.fixture(scope="module")
def site(explorer_folder, tmp_path_factory):
    """A site whose model may be replaced: its folder, and the address of the page Explorer."""
    folder = tmp_path_factory.mktemp("site")
    shutil.copytree(explorer_folder / "root" / SUB_PATH, folder, dirs_exist_ok=True)
    with served(folder) as url:
        yield folder, f"{url}explorer/"


@pytest.mark.parametrize("cfg", [CFG, SMALLEST], ids=["small", "smallest"])
def test_a_model_of_other_sizes_in_the_place_of_the_first_is_read_and_goes_on(browser, site, tmp_path, cfg):
    folder, url = site
    for path in (folder / "explorer" / "model").iterdir():
        os.utime(path, (LONG_AGO, LONG_AGO))
    open_explorer(browser, url)
    weights = random_weights(cfg)
    write_run(tmp_path / "mine", weights, byte_level(cfg.d_vocab), cfg=asdict(cfg))
    write_files(folder / "explorer" / "model", web_model(read_model(str(tmp_path / "mine")), None).files)
    sizes = (cfg.n_layers, cfg.n_heads, cfg.d_model, cfg.d_vocab, cfg.n_ctx)
    assert open_explorer(browser, url) == STATUS.format(*sizes)
    type_text(browser, TEXT)
    tokens = [int(told) for told in texts(browser, "#explorer-text li small")]
    assert tokens == byte_level(cfg.d_vocab).encode(TEXT).ids
    window = tokens[-cfg.n_ctx :]
    told = f"the first {len(tokens) - cfg.n_ctx} are lost to it."
    assert texts(browser, "#explorer-count")[0].endswith(told)
    found = browser.value(f"headstart.model.read([{json.dumps(window)}]).then(({{ logits }}) => logits)")
    weights = {name: w.double() for name, w in weights.items()}
    expected = loaded(weights, cfg)(torch.tensor([window]))[:, -1]
    assert torch.allclose(torch.tensor(found), expected, rtol=0, atol=1e-3)
    n = len(texts(browser, "#explorer-attention .heads button"))
    assert n == cfg.n_heads
    assert browser.value("document.querySelectorAll('#explorer-residual rect[data-at]').length") == (
        (1 + 2 * cfg.n_layers) * cfg.n_ctx
    )
    press(browser, "writing", "Write one token")
    browser.value("""new Promise((done) => {
      const look = () => document.querySelector("#explorer-writing mark").textContent ? done(1) : setTimeout(look, 10);
      look();
    })""")
    assert texts(browser, "#explorer-writing [role=status]")[0].startswith(f"The text has {len(tokens) + 1} tokens, ")
    assert len(texts(browser, "#explorer-beams .texts li")) == 3
    assert browser.complaints() == []
