package upstream

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	v1 "k8s.io/api/core/v1"
)

// Themes of the random scenarios: what the metrics are, and what is varied most.
var Themes = []string{"pods", "totals", "legacy", "behavior", "several", "anything"}

type object = map[string]any

type drawer struct {
	*rand.Rand
	s      *Scenario
	theme  string
	small  bool
	ticks  int
	now    int64
	pods   []Pod
	kept   bool // the answers name their times, so they can stand for a later tick too
	window int64
	age    int64
}

// Draw starts a scenario; the function that comes with it adds tick after tick while it is played, so that numbers can be drawn near what
// matters at that moment. Equal arguments give equal scenarios.
func Draw(seed, i, try uint64, theme string, small bool) (*Scenario, func(*player) bool) {
	d := &drawer{Rand: rand.New(rand.NewPCG(seed, i<<16|try)), theme: theme, small: small}
	if theme == "" {
		d.theme = pick(d, Themes...)
	}
	d.ticks = 1 + d.IntN(5)
	if small {
		d.ticks = pick(d, 1, 1, 1, 2, 2, 3)
	}
	d.now = pick(d, int64(10000), 10000, 0, 1000, d.Int64N(1000000))
	s := &Scenario{Format: 1, Name: fmt.Sprintf("%s-%d-%d", d.theme, seed, i), Kind: "random"}
	d.s = s
	d.controller()
	s.HPA = text(object{
		"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": object{"namespace": "shop", "name": "web"}, "spec": d.spec(),
	})
	d.initial()
	return s, d.more
}

func pick[T any](d *drawer, values ...T) T { return values[d.IntN(len(values))] }

func (d *drawer) chance(percent float64) bool { return d.Float64()*100 < percent }

func (d *drawer) between(low, high int) int { return low + d.IntN(high-low+1) }

func (d *drawer) near() int64 { return int64(d.IntN(3) - 1) }

func text(value any) json.RawMessage {
	encoded, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	return encoded
}

func (d *drawer) controller() {
	c := &Controller{}
	if d.chance(45) {
		c.Tolerance = ref(pick(d, 0.0, 0, 0.05, 0.2, 0.5, 0.01, 0.25, 0.3, 1))
	}
	if d.chance(60) {
		c.DownscaleStabilization = ref(pick(d, int64(0), 1, 15, 30, 45, 60, 120, 600))
	}
	if d.chance(40) {
		c.CPUInitialization = ref(pick(d, int64(0), 30, 60, 120, 600))
	}
	if d.chance(30) {
		c.InitialReadinessDelay = ref(pick(d, int64(0), 1, 10, 60))
	}
	if d.chance(8) {
		c.ConfigurableTolerance = ref(false)
	}
	if d.chance(12) {
		c.PodLevelResources = ref(false)
	}
	if d.chance(8) {
		c.LegacyScaleUpFactor = ref(pick(d, 1.0, 3, 8))
	}
	if *c != (Controller{}) {
		d.s.Controller = c
	}
}

// spec draws what a user writes.
func (d *drawer) spec() object {
	low := pick(d, 0, 1, 1, 1, 2, 3, d.between(1, 12))
	high := low + pick(d, 0, 1, 3, 8, 20, 100, d.between(0, 30))
	if (d.theme == "behavior" || d.theme == "legacy") && d.chance(60) {
		high += pick(d, 15, 30, 100)
	}
	high = max(1, high)
	if d.chance(3) {
		high = math.MaxInt32
	}
	spec := object{"scaleTargetRef": object{"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}, "maxReplicas": high}
	if low != 1 || d.chance(50) {
		spec["minReplicas"] = low
	}
	metrics := []object{}
	n := 1
	switch {
	case d.theme == "several":
		n = pick(d, 2, 2, 2, 3, 3, 4)
	case d.theme == "anything":
		n = pick(d, 0, 1, 1, 2, 2, 3)
	}
	for range n {
		metrics = append(metrics, d.metric())
	}
	if n > 0 {
		spec["metrics"] = metrics
	}
	behavior := map[string]float64{"behavior": 100, "legacy": 0, "pods": 40, "totals": 40}
	percent, known := behavior[d.theme]
	if !known {
		percent = 60
	}
	if d.chance(percent) {
		spec["behavior"] = d.behavior()
	}
	return spec
}

func (d *drawer) metric() object {
	switch d.theme {
	case "legacy", "behavior":
		if d.chance(85) {
			return d.external()
		}
		return d.podMetric()
	case "pods":
		return d.podMetric()
	case "totals":
		if d.chance(50) {
			return d.external()
		}
		return d.object()
	}
	if d.chance(2) {
		return object{"type": pick(d, "Custom", "Node")}
	}
	switch d.IntN(10) {
	case 0, 1:
		return d.external()
	case 2, 3:
		return d.object()
	}
	return d.podMetric()
}

func (d *drawer) quantity() string {
	return pick(d, "1", "1", "10", "100", "500m", "2500m", "2.5", "15.0", "1k", "333m", "7", "0.1", "1500u", "1e2", "3", "20", "1m", "64Ki")
}

func (d *drawer) podMetric() object {
	if d.chance(25) {
		return object{"type": "Pods", "pods": object{
			"metric": object{"name": pick(d, "requests", "jobs")}, "target": object{"type": "AverageValue", "averageValue": d.quantity()}}}
	}
	name := pick(d, "cpu", "cpu", "cpu", "memory")
	target := object{"type": "Utilization"}
	average, utilization := d.chance(35), true
	if average {
		target["type"], utilization = "AverageValue", d.chance(8)
		target["averageValue"] = pick(d, "100m", "250m", "1", "0.333", "80m", "2")
		if name == "memory" {
			target["averageValue"] = pick(d, "100Mi", "64Mi", "50M", "1Gi", "1000")
		}
	} else if d.chance(2) {
		utilization = false
	}
	if utilization {
		target["averageUtilization"] = pick(d, 50, 60, 70, 80, 80, 100, 120, 200, 10, 1, 33)
	}
	if d.chance(30) {
		return object{"type": "ContainerResource", "containerResource": object{
			"name": name, "container": pick(d, "c1", "c1", "c1", "c1", "c2", "side", "init", "nobody"), "target": target}}
	}
	return object{"type": "Resource", "resource": object{"name": name, "target": target}}
}

func (d *drawer) object() object {
	target := object{"type": pick(d, "Value", "AverageValue")}
	field := map[any]string{"Value": "value", "AverageValue": "averageValue"}[target["type"]]
	other := map[any]string{"Value": "averageValue", "AverageValue": "value"}[target["type"]]
	target[field] = d.quantity()
	if d.chance(5) {
		target[other] = d.quantity()
	}
	if d.chance(3) {
		delete(target, field)
	}
	metric := object{"name": pick(d, "hits", "queue")}
	d.selector(metric)
	return object{"type": "Object", "object": object{
		"describedObject": object{"apiVersion": "networking.k8s.io/v1", "kind": pick(d, "Ingress", "Service"), "name": "front"}, "metric": metric, "target": target}}
}

func (d *drawer) selector(metric object) {
	switch d.IntN(12) {
	case 0:
		metric["selector"] = object{"matchLabels": object{"queue": "orders"}}
	case 1:
		metric["selector"] = object{"matchLabels": object{"zone": "b", "queue": "orders"}}
	case 2:
		metric["selector"] = object{}
	}
}

func (d *drawer) external() object {
	target := object{}
	if d.chance(65) || d.theme == "legacy" || d.theme == "behavior" {
		target["type"], target["averageValue"] = "AverageValue", d.quantity()
		if d.chance(5) {
			target["value"] = d.quantity()
		}
	} else {
		target["type"], target["value"] = "Value", d.quantity()
	}
	if d.chance(2) {
		target = object{"type": "Value"}
	}
	if d.chance(1) {
		target = object{"type": "Value", "value": "9223372036854775807m"}
	}
	metric := object{"name": pick(d, "wanted", "backlog")}
	d.selector(metric)
	return object{"type": "External", "external": object{"metric": metric, "target": target}}
}

func (d *drawer) behavior() object {
	behavior := object{}
	for _, direction := range []string{"scaleUp", "scaleDown"} {
		if d.chance(25) {
			continue
		}
		rules := object{}
		if d.chance(60) {
			rules["stabilizationWindowSeconds"] = pick(d, 0, 0, 1, 15, 30, 45, 60, 120, 300, 3600)
		}
		if d.chance(55) {
			rules["selectPolicy"] = pick(d, "Max", "Min", "Min", "Disabled")
		}
		if d.chance(75) {
			policies := []object{}
			for range d.between(1, 3) {
				policy := object{"type": "Pods", "value": pick(d, 1, 1, 2, 3, 4, 5, 10, 30), "periodSeconds": pick(d, 1, 15, 15, 30, 45, 60, 60, 120, 1800)}
				if d.chance(50) {
					policy["type"], policy["value"] = "Percent", pick(d, 1, 5, 10, 12, 20, 25, 30, 33, 50, 70, 80, 90, 100, 100, 150, 900)
				}
				policies = append(policies, policy)
			}
			rules["policies"] = policies
		}
		if d.chance(30) {
			rules["tolerance"] = pick(d, "0", "0", "0.05", "50m", "0.1", "100m", "0.2", "0.25", "0.575", "570m", "1", "2", "10m", "500u", "1e-2", "0.36")
		}
		behavior[direction] = rules
	}
	return behavior
}

func (d *drawer) replicas(low, high int32) int32 {
	if high > 200 {
		high = low + 50
	}
	switch d.IntN(20) {
	case 0:
		return 0
	case 1:
		return high + int32(d.between(1, 5))
	case 2:
		return max(0, low-1)
	}
	return low + d.Int32N(high-low+1)
}

func (d *drawer) initial() {
	var hpa autoscalingv2.HorizontalPodAutoscaler
	if err := json.Unmarshal(d.s.HPA, &hpa); err != nil {
		panic(err)
	}
	in := &d.s.Initial
	spec := d.replicas(or(hpa.Spec.MinReplicas, 1), hpa.Spec.MaxReplicas)
	in.Scale = Scale{SpecReplicas: &spec, StatusReplicas: ref(d.statusReplicas(spec))}
	if d.chance(12) {
		in.Scale.Selector = ref(d.podSelector())
	}
	window := int64(300)
	if d.s.Controller != nil {
		window = or(d.s.Controller.DownscaleStabilization, window)
	}
	windows := []int64{window, 0}
	if b := hpa.Spec.Behavior; b != nil {
		for _, rules := range []*autoscalingv2.HPAScalingRules{b.ScaleUp, b.ScaleDown} {
			if rules != nil && rules.StabilizationWindowSeconds != nil {
				windows = append(windows, int64(*rules.StabilizationWindowSeconds))
			}
		}
	}
	past := func(spans []int64) int64 {
		if d.chance(50) {
			return d.now - max(1, pick(d, spans...)+d.near())
		}
		return d.now - 1 - d.Int64N(400)
	}
	if d.chance(55) {
		list := []Recommendation{}
		for range d.IntN(4) {
			list = append(list, Recommendation{max(0, spec+int32(d.between(-4, 6))), past(windows)})
		}
		in.Recommendations = &list
	}
	if b := hpa.Spec.Behavior; b != nil {
		periods := []int64{15, 60}
		for _, rules := range []*autoscalingv2.HPAScalingRules{b.ScaleUp, b.ScaleDown} {
			if rules != nil {
				for _, policy := range rules.Policies {
					periods = append(periods, int64(policy.PeriodSeconds))
				}
			}
		}
		events := func() (list []ScaleEvent) {
			if d.chance(45) {
				for range d.between(1, 3) {
					list = append(list, ScaleEvent{int32(pick(d, 1, 1, 2, 3, 5)), past(periods), d.chance(20)})
				}
			}
			return list
		}
		in.ScaleUpEvents, in.ScaleDownEvents = events(), events()
	}
	if d.chance(5) {
		in.OtherHPAs = d.others()
	}
	if d.chance(25) {
		in.Status = &InitialStatus{CurrentReplicas: spec, DesiredReplicas: max(0, spec+int32(d.between(-2, 2)))}
		if d.chance(50) {
			in.Status.LastScaleTime = ref(d.now - 1 - d.Int64N(1000))
		}
		if d.chance(15) {
			for range hpa.Spec.Metrics {
				in.Status.CurrentMetrics = append(in.Status.CurrentMetrics, pick(d, MetricNumbers{AverageValue: ref(int64(1000))}, MetricNumbers{}))
			}
		}
		if d.chance(50) {
			for _, c := range [][3]string{
				{"AbleToScale", "True", "ReadyForNewScale"}, {"ScalingActive", pick(d, "True", "False"), "ValidMetricFound"}, {"ScalingLimited", "True", "TooManyReplicas"}} {
				if d.chance(70) {
					in.Status.Conditions = append(in.Status.Conditions, [4]any{c[0], c[1], c[2], float64(d.now - 100)})
				}
			}
		}
	}
}

func (d *drawer) statusReplicas(spec int32) int32 {
	if d.chance(80) {
		return spec
	}
	return max(0, spec+int32(d.between(-3, 3)))
}

func (d *drawer) podSelector() string {
	return pick(d, "", "app in (web", "app=web,tier=front", "app==web", "app", "!app", "app in (web, api)", "tier notin (back)", "app!=db", "=web", "app=web,",
		" app = web ", "tier!=back,app", "app in ()", "app in (web,)", "!tier,app=web", "app=", "app=web api", "gen>3", "a b", "example.com/app=web", "app=-web")
}

func (d *drawer) others() []OtherHPA {
	list := []OtherHPA{}
	for i := range d.IntN(3) {
		list = append(list, OtherHPA{pick(d, "shop", "shop", "shop", "bank"), fmt.Sprintf("web-%d", i+2),
			pick(d, "app=web", "app=web", "", "app=api", "app", "!app", "app in (web,db)", "app!=web", "tier=front", "app notin (api)")})
	}
	return list
}

// more adds a tick: the world as it stands, changed a little.
func (d *drawer) more(p *player) bool {
	first := len(d.s.Ticks) == 0
	if len(d.s.Ticks) == d.ticks {
		return false
	}
	t := Tick{}
	w := p.w
	spec := &w.hpa.Spec
	changed := first
	if !first {
		if d.chance(4) {
			t.Restart = true
		}
		if d.chance(8) {
			t.HPASpec = text(d.spec())
			parsed := &autoscalingv2.HorizontalPodAutoscaler{}
			if err := json.Unmarshal(t.HPASpec, &parsed.Spec); err != nil {
				panic(err)
			}
			if err := store(parsed); err != nil {
				panic(err)
			}
			spec, changed = &parsed.Spec, true
		}
		if d.chance(2) || len(p.others) > 0 && d.chance(40) {
			t.OtherHPAs = ref(d.others())
		}
		if d.chance(8) {
			t.Scale = &Scale{}
			if d.chance(85) {
				size := d.replicas(or(spec.MinReplicas, 1), spec.MaxReplicas)
				t.Scale.SpecReplicas, t.Scale.StatusReplicas = &size, ref(d.statusReplicas(size))
			} else {
				t.Scale.Selector = ref(pick(d, "app=web", d.podSelector()))
			}
		}
		d.now = d.later(p)
	}
	t.Now = d.now
	if d.chance(2.5) {
		t.ScaleGetError = "timeout"
	}
	if d.chance(3.5) {
		t.ScaleUpdateError = "refused"
	}
	current, status := w.spec, w.status
	if t.Scale != nil {
		current, status = or(t.Scale.SpecReplicas, current), or(t.Scale.StatusReplicas, status)
	}
	d.window = pick(d, int64(60), 60, 30, 15, 0)
	d.age = pick(d, int64(0), 0, 0, 15, 30, 60)
	needsPods := d.theme == "pods" || d.theme == "several" || d.theme == "anything"
	if first && (needsPods || d.chance(60)) || !first && d.chance(35) && len(d.pods) > 0 {
		t.Pods = ref(d.drawPods(p, spec, current))
		d.pods = *t.Pods
		changed = changed || d.chance(80)
	}
	if changed || !d.kept || d.chance(75) {
		answers := []Answer{}
		d.kept = d.chance(30)
		for i := range spec.Metrics {
			answers = append(answers, d.answer(p, spec, &spec.Metrics[i], current, status))
		}
		t.Metrics = &answers
	}
	d.s.Ticks = append(d.s.Ticks, t)
	return true
}

// later: when the next tick is, often where a window or a period ends.
func (d *drawer) later(p *player) int64 {
	if d.chance(55) {
		return d.now + pick(d, int64(15), 15, 15, 15, 1, 14, 16, 30, 60, 300, 1+d.Int64N(400))
	}
	window := int64(p.downscale.Seconds())
	ends := []int64{}
	spans := []int64{window}
	if b := p.w.hpa.Spec.Behavior; b != nil {
		spans = append(spans, int64(*b.ScaleUp.StabilizationWindowSeconds), int64(or(b.ScaleDown.StabilizationWindowSeconds, int32(window))))
	}
	for _, r := range (*p.recommendations)[p.key] {
		ends = append(ends, p.seconds(r.timestamp)+pick(d, spans...))
	}
	if b := p.w.hpa.Spec.Behavior; b != nil {
		periods := []int64{}
		for _, policy := range append(append([]autoscalingv2.HPAScalingPolicy{}, b.ScaleUp.Policies...), b.ScaleDown.Policies...) {
			periods = append(periods, int64(policy.PeriodSeconds))
		}
		for _, e := range append(append([]scaleEvent{}, (*p.ups)[p.key]...), (*p.downs)[p.key]...) {
			ends = append(ends, p.seconds(e.timestamp)+pick(d, periods...))
		}
	}
	for _, pod := range d.pods {
		if pod.StartTime != nil {
			ends = append(ends, *pod.StartTime+int64(p.initialization.Seconds()))
		}
	}
	ahead := []int64{d.now + 15}
	for _, end := range ends {
		if end += d.near(); end > d.now && end < d.now+4000 {
			ahead = append(ahead, end)
		}
	}
	return pick(d, ahead...)
}

func (d *drawer) amounts(p float64) *Amounts {
	a := &Amounts{}
	if !d.chance(p) {
		a.CPUMilli = ref(pick(d, int64(100), 100, 250, 333, 500, 1000, 1))
	}
	if !d.chance(4 * p) {
		a.MemoryBytes = ref(pick(d, int64(64<<20), 100<<20, 50000000, 1000))
	}
	return a
}

func (d *drawer) drawPods(p *player, spec *autoscalingv2.HorizontalPodAutoscalerSpec, current int32) []Pod {
	most := 10
	if d.small {
		most = 3
	}
	n := d.between(1, most)
	if current <= int32(most) && d.chance(70) {
		n = max(0, int(current)+d.between(-1, 2))
	}
	if d.chance(2) {
		n = 0
	}
	stamp := d.now - d.age
	initialization, delay := int64(p.initialization.Seconds()), int64(p.readinessDelay.Seconds())
	usesMemory := d.chance(10)
	for _, m := range spec.Metrics {
		usesMemory = usesMemory || m.Resource != nil && m.Resource.Name == v1.ResourceMemory ||
			m.ContainerResource != nil && m.ContainerResource.Name == v1.ResourceMemory
	}
	amounts := func(missing float64) *Amounts {
		a := d.amounts(missing)
		if !usesMemory {
			a.MemoryBytes = nil
		}
		return a
	}
	same := amounts(1)
	troubled := pick(d, 0.0, 20, 45, 80)
	pods := []Pod{}
	for i := range n {
		pod := Pod{Name: fmt.Sprintf("p%d", i), Ready: ref("True"), StartTime: ref(d.now - initialization - 1 - d.Int64N(2000))}
		requests := same
		if d.chance(20) {
			requests = amounts(1)
		}
		pod.Containers = []Container{{Name: "c1", Requests: requests}}
		if d.chance(25) {
			pod.Containers = append(pod.Containers, Container{Name: "c2", Requests: amounts(1)})
		}
		if d.chance(8) {
			pod.InitContainers = []Container{{Name: "side", Requests: amounts(10), RestartPolicy: "Always"}}
		}
		if d.chance(8) {
			pod.InitContainers = append(pod.InitContainers, Container{Name: "init", Requests: amounts(20)})
			if d.chance(20) {
				pod.InitContainers[len(pod.InitContainers)-1].RestartPolicy = pick(d, "Never", "OnFailure")
			}
		}
		if d.chance(8) {
			pod.PodRequests = amounts(15)
			switch d.IntN(10) {
			case 0:
				pod.PodRequests = &Amounts{}
			case 1, 2: // what the pod does not say, and no container either
				pod.PodRequests = &Amounts{MemoryBytes: ref(int64(64 << 20))}
				if d.chance(50) {
					pod.Containers[0].Requests = &Amounts{}
				}
			}
		}
		pod.ReadySince = *pod.StartTime + d.Int64N(30)
		if d.chance(troubled) {
			switch d.IntN(12) {
			case 0:
				pod.Phase = pick(d, "Failed", "Failed", "Succeeded", "Unknown")
			case 1:
				pod.Deleted = true
			case 2, 3:
				pod.Phase = "Pending"
				if d.chance(50) {
					pod.Ready, pod.StartTime, pod.ReadySince = nil, nil, 0
				}
			case 4, 5, 6: // young
				pod.StartTime = ref(d.now - initialization + pick(d, d.near(), d.near(), d.Int64N(initialization+1)))
				pod.Ready = ref(pick(d, "True", "True", "False", "Unknown"))
				pod.ReadySince = stamp - d.window + pick(d, d.near(), d.near(), 10-d.Int64N(30))
			case 7, 8: // old, never ready or not ready any more
				pod.Ready = ref(pick(d, "False", "False", "Unknown"))
				pod.ReadySince = *pod.StartTime + delay + pick(d, d.near(), d.near(), d.Int64N(500))
			case 9:
				if d.chance(50) {
					pod.Ready, pod.ReadySince = nil, 0
				} else {
					pod.StartTime = nil
				}
			case 10:
				pod.Labels = ref(pick(d, map[string]string{"app": "api"}, map[string]string{"app": "web", "tier": "front"}, map[string]string{}, map[string]string{"tier": "back"},
					map[string]string{"app": "web", "gen": "5"}))
			case 11:
				if d.chance(30) {
					pod.Namespace = "bank"
				}
			}
		}
		pods = append(pods, pod)
	}
	return pods
}

func (d *drawer) answer(p *player, spec *autoscalingv2.HorizontalPodAutoscalerSpec, m *autoscalingv2.MetricSpec, current, status int32) Answer {
	failing := 4.0
	if d.theme == "several" {
		failing = 20
	}
	unknown := false
	switch m.Type {
	case autoscalingv2.ResourceMetricSourceType, autoscalingv2.ContainerResourceMetricSourceType, autoscalingv2.PodsMetricSourceType,
		autoscalingv2.ObjectMetricSourceType, autoscalingv2.ExternalMetricSourceType:
	default:
		unknown = true
	}
	if d.chance(failing) {
		return Answer{Error: "no such metric"}
	}
	if unknown {
		return Answer{}
	}
	switch m.Type {
	case autoscalingv2.ObjectMetricSourceType:
		return Answer{ValueMilli: ref(d.total(p, spec, &m.Object.Target, m.Object.Target.Type == autoscalingv2.AverageValueMetricType, current, status))}
	case autoscalingv2.ExternalMetricSourceType:
		total := d.total(p, spec, &m.External.Target, m.External.Target.AverageValue != nil, current, status)
		values := []int64{}
		for d.chance(15) && total > 10 {
			part := d.Int64N(total)
			values = append(values, part)
			total -= part
		}
		values = append(values, total)
		switch d.IntN(120) {
		case 0:
			values = append(values, math.MaxInt64, 1)
		case 1:
			values = []int64{math.MaxInt64 - 5, 4}
		case 2:
			values = append([]int64{-5000}, values...)
		case 3:
			values = append(values, -d.Int64N(5000))
		case 4:
			values = []int64{}
		}
		return Answer{ValuesMilli: &values}
	}
	return Answer{Pods: ref(d.samples(p, spec, m, current))}
}

// ratio of usage and target: often exactly, or nearly, where a decision changes.
func (d *drawer) ratio(p *player, spec *autoscalingv2.HorizontalPodAutoscalerSpec, size float64) float64 {
	up, down := p.tolerance, p.tolerance
	if b := spec.Behavior; b != nil && d.chance(80) {
		if b.ScaleUp != nil && b.ScaleUp.Tolerance != nil {
			up = b.ScaleUp.Tolerance.AsApproximateFloat64()
		}
		if b.ScaleDown != nil && b.ScaleDown.Tolerance != nil {
			down = b.ScaleDown.Tolerance.AsApproximateFloat64()
		}
	}
	edge := pick(d, 0, 0, 0.001, -0.001, 0.01, -0.01)
	switch d.IntN(12) {
	case 0:
		return 1
	case 1, 2:
		return 1 + up + edge
	case 3, 4:
		return max(0, 1-down+edge)
	case 5:
		return pick(d, 0, 0.5, 2, 3, 1.5, 0.25)
	case 6, 7:
		if size > 0 {
			return float64(d.wanted(p, spec)) / size
		}
	case 8:
		return 1 + edge
	}
	return d.Float64() * pick(d, 1, 1.5, 3)
}

// wanted: a number of replicas at which a limit begins to bind.
func (d *drawer) wanted(p *player, spec *autoscalingv2.HorizontalPodAutoscalerSpec) int32 {
	current := p.w.spec
	choices := []int32{current, current + 1, max(0, current-1), 2 * current, current / 2, or(spec.MinReplicas, 1), min(spec.MaxReplicas, 500), 4, 0, current + int32(d.between(-8, 12))}
	for _, r := range (*p.recommendations)[p.key] {
		choices = append(choices, min(r.recommendation, 1000))
	}
	if d.chance(45) {
		low, high := or(spec.MinReplicas, 1), min(spec.MaxReplicas, 300)
		return low + d.Int32N(max(1, high-low+1))
	}
	return max(0, pick(d, choices...)+int32(pick(d, 0, 0, 0, 1, -1)))
}

func (d *drawer) total(p *player, spec *autoscalingv2.HorizontalPodAutoscalerSpec, target *autoscalingv2.MetricTarget, average bool, current, status int32) int64 {
	goal := int64(1000)
	if average && target.AverageValue != nil {
		goal = target.AverageValue.MilliValue()
	} else if !average && target.Value != nil {
		goal = target.Value.MilliValue()
	}
	if d.chance(1) {
		return pick(d, -1, -goal, 0, math.MaxInt64, math.MaxInt64/2, 1<<53+1, int64(math.MaxInt32)*1000)
	}
	if goal > 1<<50 {
		return pick(d, goal, goal/2, goal-1, 1<<62, 1)
	}
	off := pick(d, 0, 0, 1, -1, d.Int64N(goal+1))
	if average {
		if d.chance(70) {
			return int64(d.wanted(p, spec))*goal + off
		}
		return int64(math.Round(float64(goal)*float64(status)*d.ratio(p, spec, float64(status)))) + off
	}
	size := float64(current)
	if len(d.pods) > 0 {
		size = float64(len(d.pods))
	}
	return int64(math.Round(float64(goal)*d.ratio(p, spec, size))) + off
}

func (d *drawer) samples(p *player, spec *autoscalingv2.HorizontalPodAutoscalerSpec, m *autoscalingv2.MetricSpec, current int32) []Sample {
	samples := []Sample{}
	if d.chance(1) {
		return samples
	}
	ratio := d.ratio(p, spec, float64(len(d.pods)))
	spread := pick(d, 0.0, 0, 0.3, 1)
	hidden := pick(d, 0.0, 0, 15, 40)
	name, container := v1.ResourceName(""), ""
	var target autoscalingv2.MetricTarget
	switch m.Type {
	case autoscalingv2.ResourceMetricSourceType:
		name, target = m.Resource.Name, m.Resource.Target
	case autoscalingv2.ContainerResourceMetricSourceType:
		name, target, container = m.ContainerResource.Name, m.ContainerResource.Target, m.ContainerResource.Container
	default:
		target = m.Pods.Target
	}
	pods := d.pods
	if d.chance(8) {
		for range d.between(1, 2) {
			pods = append(pods[:len(pods):len(pods)], Pod{Name: fmt.Sprintf("x%d", d.IntN(3)), Containers: []Container{{Name: "c1", Requests: d.amounts(0)}}})
		}
		if len(pods) > 1 && pods[len(pods)-1].Name == pods[len(pods)-2].Name {
			pods = pods[:len(pods)-1]
		}
	}
	for i := range pods {
		if d.chance(hidden) {
			continue
		}
		pod := &pods[i]
		here := ratio * (1 + spread*(d.Float64()-0.5)*2)
		sample := Sample{Pod: pod.Name}
		stamp, window := d.now-d.age, d.window
		if d.chance(10) {
			stamp, window = d.now-d.Int64N(120), pick(d, int64(60), 30, 0)
		}
		if stamp != d.now || d.kept {
			sample.Timestamp = &stamp
		}
		if window != 60 {
			sample.Window = &window
		}
		if name == "" {
			sample.Window = nil
			if d.chance(3) {
				sample.Window = ref(int64(30))
			}
			sample.ValueMilli = ref(max(0, int64(math.Round(float64(target.AverageValue.MilliValue())*here))+pick(d, int64(0), 0, 0, 1, -1)))
			samples = append(samples, sample)
			continue
		}
		containers := []Container{}
		all := append([]Container{}, pod.Containers...)
		for _, c := range pod.InitContainers {
			if c.RestartPolicy == "Always" {
				all = append(all, c)
			}
		}
		for _, c := range all {
			usage := &Amounts{}
			value := func(request *int64, unit int64) *int64 {
				if d.chance(1.5) {
					return nil
				}
				x := 0.0
				switch {
				case target.AverageValue != nil:
					x = float64(target.AverageValue.MilliValue()) / float64(unit) * here
					if container == "" {
						x /= float64(len(all))
					}
				case target.AverageUtilization != nil:
					base := or(request, 100)
					if pod.PodRequests != nil && container == "" {
						if requests := pod.PodRequests; name == v1.ResourceCPU && requests.CPUMilli != nil {
							base = *requests.CPUMilli / int64(len(all))
						}
					}
					x = float64(base) * float64(*target.AverageUtilization) / 100 * here
				}
				if name == v1.ResourceCPU && d.chance(0.1) {
					x *= 4e7
				}
				return ref(max(0, int64(math.Round(x))+pick(d, int64(0), 0, 0, 1, -1)))
			}
			requests := c.Requests
			if requests == nil {
				requests = &Amounts{}
			}
			if name == v1.ResourceCPU {
				usage.CPUMilli = value(requests.CPUMilli, 1)
			} else {
				usage.MemoryBytes = value(requests.MemoryBytes, 1000)
			}
			containers = append(containers, Container{Name: c.Name, Usage: usage})
		}
		if d.chance(1) {
			containers = []Container{}
		}
		sample.Containers = &containers
		samples = append(samples, sample)
	}
	return samples
}
