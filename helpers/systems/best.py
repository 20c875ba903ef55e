"""Best so far: a painting that ends with the picture that was liked most on the way (save_best)."""


def keep(painting):
    """Let a loop.Painting end with its best picture; what was liked before its live knobs turned is
    forgotten."""
    best, turn = Best(painting), painting.retune
    painting.before_step.append(best)
    painting.finish = best.last

    def retune(new):
        turn(new)
        best.forget(repr(new.changed()))

    painting.retune = retune


class Best:
    """A hook before each step.

    One loss depends on the crops it was seen in, so it is their running mean that counts, over about `span`
    steps; what is kept are the parameters as shown, in the painting's memory, which is saved with the rest.
    """

    def __init__(self, painting, span=10):
        self.painting, self.span = painting, span

    def __call__(self, painting):
        """Look at the loss of the step before this one."""
        memory, loss = painting.memory, painting.total
        if loss is None or not loss.isfinite():
            return
        mean = memory.get("mean_loss", loss)
        memory["mean_loss"] = mean = mean + (loss - mean) / self.span
        if painting.step >= self.span and not mean >= memory.get("best_loss", mean + 1):
            memory["best_loss"] = mean.clone()
            memory |= {f"best.{name}": p.clone() for name, p in painting.shown().items()}

    def forget(self, wishes):
        """Begin anew where something else is liked now; a resumed run is told what it knows already."""
        memory = self.painting.memory
        if memory.get("wishes") != wishes:
            for name in [name for name in memory if name.startswith("best") or name == "mean_loss"]:
                del memory[name]
            memory["wishes"] = wishes

    def last(self, seen):
        """The parameters to show: at the end, the best ones."""
        best = {name: self.painting.memory.get(f"best.{name}", p).to(p) for name, p in seen.items()}
        return best if self.painting.step >= self.painting.steps else seen
