"""Right vision transformers, written differently: the graders must accept every one of them."""

from graders.engine.misconception import Variant

VARIANTS = (
    Variant(
        "torch_einsum_and_repeat",
        """
class BidirectionalAttention(BidirectionalAttention):
    def forward(self, x):
        q = torch.einsum("bsd,hde->bshe", x, self.W_Q) + self.b_Q
        k = torch.einsum("bsd,hde->bshe", x, self.W_K) + self.b_K
        v = torch.einsum("bsd,hde->bshe", x, self.W_V) + self.b_V
        weights = (torch.einsum("bqhe,bkhe->bhqk", q, k) / q.shape[-1] ** 0.5).softmax(-1)
        z = torch.einsum("bhqk,bkhe->bqhe", weights, v)
        return torch.einsum("bqhe,hed->bqd", z, self.W_O) + self.b_O


def forward(self, images):
    x = self.patch_embed(images)
    first = self.class_token.repeat(x.shape[0], 1, 1)
    x = torch.cat((first, x), 1) + self.W_pos.unsqueeze(0)
    for i in range(len(self.blocks)):
        x = self.blocks[i](x)
    x = self.ln_final(x)
    return torch.einsum("bd,dc->bc", x[:, 0, :], self.W_head) + self.b_head


ViT.forward = forward
""",
    ),
    Variant(
        "only_the_class_token_is_normalised",
        """
def forward(self, images):
    patches = self.patch_embed(images) + self.W_pos[1:]
    first = (self.class_token + self.W_pos[0]).expand(patches.shape[0], 1, patches.shape[2])
    x = torch.cat([first, patches], dim=1)
    for block in self.blocks:
        x = block(x)
    return torch.addmm(self.b_head, self.ln_final(x[:, :1]).squeeze(1), self.W_head)


ViT.forward = forward
""",
    ),
    Variant(
        "a_loop_over_heads",
        """
class BidirectionalAttention(BidirectionalAttention):
    def forward(self, x):
        out = self.b_O
        for head in range(len(self.W_Q)):
            q, k, v = (
                x @ weight[head] + bias[head]
                for weight, bias in ((self.W_Q, self.b_Q), (self.W_K, self.b_K), (self.W_V, self.b_V))
            )
            scores = q @ k.mT / k.shape[-1] ** 0.5
            out = out + torch.softmax(scores, dim=2) @ v @ self.W_O[head]
        return out


def forward(self, images):
    patches = self.patch_embed(images)
    x = patches.new_empty(patches.shape[0], patches.shape[1] + 1, patches.shape[2])
    x[:, 0] = self.class_token
    x[:, 1:] = patches
    x = nn.Sequential(*self.blocks)(x + self.W_pos)
    return nn.functional.linear(self.ln_final(x)[:, 0], self.W_head.T, self.b_head)


ViT.forward = forward
""",
    ),
    Variant(
        "packed_queries_keys_and_values",
        """
class BidirectionalAttention(BidirectionalAttention):
    def forward(self, x):
        into_head = "batch seq d_model, three n_heads d_model d_head -> three batch seq n_heads d_head"
        weights = torch.stack([self.W_Q, self.W_K, self.W_V])
        q, k, v = einsum(x, weights, into_head).unbind(0)
        z = mix_values(attention_pattern(attention_scores(q + self.b_Q, k + self.b_K)), v + self.b_V)
        return z.flatten(2) @ self.W_O.flatten(0, 1) + self.b_O


class ViT(ViT):
    def embed(self, images):
        patches = self.patch_embed(images)
        return nn.functional.pad(patches, (0, 0, 1, 0)) + self.W_pos

    def forward(self, images):
        stream = self.embed(images)
        stream = stream + nn.functional.pad(self.class_token.unsqueeze(0), (0, 0, 0, stream.shape[1] - 1))
        for block in self.blocks:
            stream = block(stream)
        return self.ln_final(stream).select(1, 0).matmul(self.W_head).add(self.b_head)
""",
    ),
)
