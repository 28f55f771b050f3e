"""A campaign against a stack: random changes and random faults, with publishers at work, and what must hold after each.

What happens is drawn from a seed and is pure (``model``, ``edits``, ``steps``); so is the account of messages
(``ledger``). The rest carries it out: ``places``, ``publishers``, ``faults``, ``runner``, ``checks``, ``campaign``.
"""
