package upstream

func Draw(seed, i, try uint64, small bool) *Scenario { return nil }
