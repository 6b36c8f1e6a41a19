def arguments(p): pass
def run_all(o,d): return 0
