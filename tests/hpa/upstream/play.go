package upstream

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"time"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	v1 "k8s.io/api/core/v1"
	apiequality "k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	utilfeature "k8s.io/apiserver/pkg/util/feature"
	hpadefaults "k8s.io/kubernetes/pkg/apis/autoscaling/v2"
	"k8s.io/kubernetes/pkg/controller/podautoscaler"
	metricsclient "k8s.io/kubernetes/pkg/controller/podautoscaler/metrics"
	"k8s.io/kubernetes/pkg/controller/podautoscaler/monitor"
	"k8s.io/kubernetes/pkg/controller/util/selectors"
	"k8s.io/kubernetes/pkg/features"
)

// errUndefined: upstream converts a double that does not fit its integer, so the answer depends on the processor.
type errUndefined struct{ what string }

func (e errUndefined) Error() string { return "undefined in upstream: " + e.what }

type player struct {
	s      *Scenario
	w      *world
	c      *controller
	key    string
	others []OtherHPA

	epoch  time.Time
	target time.Time // the tick's instant

	recommendations *map[string][]recommendation
	ups, downs      *map[string][]scaleEvent
	tolerance       float64
	downscale       time.Duration
	initialization  time.Duration
	readinessDelay  time.Duration

	proposals []Proposal
	read      bool  // the metrics were read in this tick
	asks      []int // which of them ask an API

	undefinedStatus bool // the status holds a number that upstream leaves undefined
}

// Play runs upstream's controller through a scenario, inside a testing/synctest bubble, and writes what it did into each tick's Expect. After
// the last tick, more (if any) may add one, knowing how things stand.
func Play(s *Scenario, more func(*player) bool) (err error) {
	defer func() {
		if r := recover(); r != nil {
			switch r := r.(type) {
			case errUndefined:
				err = r
			case badScenario:
				err = fmt.Errorf("bad scenario: %s", string(r))
			default:
				panic(r)
			}
		}
	}()
	p := &player{s: s, epoch: time.Now().Add(24 * time.Hour)}
	w := &world{now: p.at, arrive: p.arrive, listed: p.listed}
	p.w = w

	w.hpa = &autoscalingv2.HorizontalPodAutoscaler{}
	if err := json.Unmarshal(s.HPA, w.hpa); err != nil {
		return err
	}
	if err := store(w.hpa); err != nil {
		return err
	}
	p.key = w.hpa.Namespace + "/" + w.hpa.Name
	w.spec, w.status, w.selector = or(s.Initial.Scale.SpecReplicas, 0), or(s.Initial.Scale.StatusReplicas, 0), or(s.Initial.Scale.Selector, "app=web")

	p.start()
	p.initialStatus()
	if s.Initial.Recommendations != nil {
		list := []recommendation{}
		for _, r := range *s.Initial.Recommendations {
			list = append(list, recommendation{r.Replicas, p.at(r.Time)})
		}
		(*p.recommendations)[p.key] = list
	}
	for _, e := range s.Initial.ScaleUpEvents {
		(*p.ups)[p.key] = append((*p.ups)[p.key], scaleEvent{e.Change, p.at(e.Time), e.Outdated})
	}
	for _, e := range s.Initial.ScaleDownEvents {
		(*p.downs)[p.key] = append((*p.downs)[p.key], scaleEvent{e.Change, p.at(e.Time), e.Outdated})
	}
	p.registerOthers(s.Initial.OtherHPAs)

	for i := 0; i < len(s.Ticks) || more != nil && more(p); i++ {
		if err := p.tick(&s.Ticks[i]); err != nil {
			return err
		}
	}
	return nil
}

func (p *player) at(s int64) time.Time { return p.epoch.Add(time.Duration(s) * time.Second) }

func (p *player) seconds(t time.Time) int64 { return int64(t.Sub(p.epoch) / time.Second) }

// arrive: the first sync of an autoscaler starts a nanosecond early, so that its initial recommendation is older than its decision, as it is in
// a world where time passes. The first thing the controller asks for after recording it ends that nanosecond.
func (p *player) arrive() { time.Sleep(p.target.Sub(time.Now())) }

// store does what the API server does with an object: defaults, and quantities in their canonical form.
func store(hpa *autoscalingv2.HorizontalPodAutoscaler) error {
	hpadefaults.SetObjectDefaults_HorizontalPodAutoscaler(hpa)
	text, err := json.Marshal(hpa)
	if err != nil {
		return err
	}
	*hpa = autoscalingv2.HorizontalPodAutoscaler{}
	return json.Unmarshal(text, hpa)
}

// start makes a controller without memory.
func (p *player) start() {
	settings := p.s.Controller
	if settings == nil {
		settings = &Controller{}
	}
	second := func(value *int64, otherwise int64) time.Duration {
		return time.Duration(or(value, otherwise)) * time.Second
	}
	p.tolerance = or(settings.Tolerance, 0.1)
	p.downscale = second(settings.DownscaleStabilization, 300)
	p.initialization = second(settings.CPUInitialization, 300)
	p.readinessDelay = second(settings.InitialReadinessDelay, 30)
	scaleUpLimitFactor = or(settings.LegacyScaleUpFactor, 2)
	gate(string(features.HPAConfigurableTolerance), or(settings.ConfigurableTolerance, true))
	gate(string(features.PodLevelResources), or(settings.PodLevelResources, true))

	p.c = &controller{}
	pods := podLister{p.w}
	set(p.c, "scaleNamespacer", scales{w: p.w})
	set(p.c, "hpaNamespacer", hpas{w: p.w})
	set(p.c, "mapper", anyKind{})
	set(p.c, "tolerance", p.tolerance)
	set(p.c, "eventRecorder", p.w)
	set(p.c, "downscaleStabilisationWindow", p.downscale)
	set(p.c, "monitor", monitor.New())
	set(p.c, "podLister", pods)
	set(p.c, "hpaSelectors", selectors.NewBiMultimap())
	set(p.c, "replicaCalc", podautoscaler.NewReplicaCalculator(p.metrics(), pods, p.initialization, p.readinessDelay))
	p.recommendations = memory[recommendation](p.c, "recommendations")
	p.ups = memory[scaleEvent](p.c, "scaleUpEvents")
	p.downs = memory[scaleEvent](p.c, "scaleDownEvents")
	*p.recommendations = map[string][]recommendation{}
	*p.ups = map[string][]scaleEvent{}
	*p.downs = map[string][]scaleEvent{}
	p.register(selectors.Parse(p.key), labels.Nothing())
}

func (p *player) metrics() metricsclient.MetricsClient {
	return metricsclient.NewRESTMetricsClient(resourceMetrics{w: p.w}, customMetrics{w: p.w}, externalMetrics{p.w})
}

var gates = map[string]bool{}

func gate(name string, on bool) {
	if was, known := gates[name]; known && was == on {
		return
	}
	if err := utilfeature.DefaultMutableFeatureGate.Set(fmt.Sprintf("%s=%v", name, on)); err != nil {
		panic(err)
	}
	gates[name] = on
}

func (p *player) register(key selectors.Key, selector labels.Selector) {
	field(p.c, "hpaSelectors").Interface().(*selectors.BiMultimap).PutSelector(key, selector)
}

func (p *player) registerOthers(others []OtherHPA) {
	known := field(p.c, "hpaSelectors").Interface().(*selectors.BiMultimap)
	for _, other := range p.others {
		known.DeleteSelector(selectors.Key{Namespace: other.Namespace, Name: other.Name})
	}
	for _, other := range others {
		selector := labels.Nothing()
		if other.Selector != "" {
			parsed, err := labels.Parse(other.Selector)
			if err != nil {
				panic(badScenario(err.Error()))
			}
			selector = parsed
		}
		p.register(selectors.Key{Namespace: other.Namespace, Name: other.Name}, selector)
	}
	p.others = others
}

func (p *player) initialStatus() {
	given := p.s.Initial.Status
	if given == nil {
		return
	}
	status := &p.w.hpa.Status
	status.CurrentReplicas, status.DesiredReplicas = given.CurrentReplicas, given.DesiredReplicas
	if given.LastScaleTime != nil {
		t := metav1.NewTime(p.at(*given.LastScaleTime))
		status.LastScaleTime = &t
	}
	for _, c := range given.Conditions {
		status.Conditions = append(status.Conditions, autoscalingv2.HorizontalPodAutoscalerCondition{
			Type:               autoscalingv2.HorizontalPodAutoscalerConditionType(c[0].(string)),
			Status:             v1.ConditionStatus(c[1].(string)),
			Reason:             c[2].(string),
			LastTransitionTime: metav1.NewTime(p.at(int64(c[3].(float64)))),
		})
	}
	for i, n := range given.CurrentMetrics {
		if i < len(p.w.hpa.Spec.Metrics) {
			status.CurrentMetrics = append(status.CurrentMetrics, metricStatus(&p.w.hpa.Spec.Metrics[i], n))
		}
	}
}

// metricStatus is the status with these numbers of a metric of the spec.
func metricStatus(spec *autoscalingv2.MetricSpec, n MetricNumbers) autoscalingv2.MetricStatus {
	if n == (MetricNumbers{}) {
		return autoscalingv2.MetricStatus{}
	}
	current := autoscalingv2.MetricValueStatus{AverageUtilization: n.Utilization}
	if n.AverageValue != nil {
		q := milli(*n.AverageValue)
		current.AverageValue = &q
	}
	if n.Value != nil {
		q := milli(*n.Value)
		current.Value = &q
	}
	status := autoscalingv2.MetricStatus{Type: spec.Type}
	switch spec.Type {
	case autoscalingv2.ResourceMetricSourceType:
		status.Resource = &autoscalingv2.ResourceMetricStatus{Name: spec.Resource.Name, Current: current}
	case autoscalingv2.ContainerResourceMetricSourceType:
		status.ContainerResource = &autoscalingv2.ContainerResourceMetricStatus{
			Name: spec.ContainerResource.Name, Container: spec.ContainerResource.Container, Current: current}
	case autoscalingv2.PodsMetricSourceType:
		status.Pods = &autoscalingv2.PodsMetricStatus{Metric: spec.Pods.Metric, Current: current}
	case autoscalingv2.ObjectMetricSourceType:
		status.Object = &autoscalingv2.ObjectMetricStatus{Metric: spec.Object.Metric, DescribedObject: spec.Object.DescribedObject, Current: current}
	case autoscalingv2.ExternalMetricSourceType:
		status.External = &autoscalingv2.ExternalMetricStatus{Metric: spec.External.Metric, Current: current}
	}
	return status
}

// numbers reads a metric's status.
func numbers(status *autoscalingv2.MetricStatus) (n MetricNumbers) {
	var current *autoscalingv2.MetricValueStatus
	switch {
	case status.Resource != nil:
		current = &status.Resource.Current
	case status.ContainerResource != nil:
		current = &status.ContainerResource.Current
	case status.Pods != nil:
		current = &status.Pods.Current
	case status.Object != nil:
		current = &status.Object.Current
	case status.External != nil:
		current = &status.External.Current
	default:
		return n
	}
	n.Utilization = current.AverageUtilization
	if current.AverageValue != nil {
		n.AverageValue = ref(current.AverageValue.MilliValue())
	}
	if current.Value != nil {
		n.Value = ref(current.Value.MilliValue())
	}
	return n
}

func ref[T any](value T) *T { return &value }

// listed: the controller has parsed the selector and takes its first look at the pods. All metrics are read once here, one by one and without
// events, to see what each proposes and whether it asks an API at all; then the controller goes on and reads them itself.
func (p *player) listed(selector labels.Selector) {
	if p.read {
		return
	}
	p.read = true
	w := p.w
	w.muted = true
	for i, spec := range w.hpa.Spec.Metrics {
		w.asked = []int{i}
		status := autoscalingv2.MetricStatus{}
		replicas, _, _, _, err := computeReplicasForMetric(p.c, context.Background(), w.hpa.DeepCopy(), spec, w.spec, w.status, selector, &status)
		proposal := Proposal{Error: err != nil}
		asked := len(w.asked) == 0
		if err == nil {
			proposal.Replicas, proposal.MetricNumbers = &replicas, numbers(&status)
			p.refuseUndefined(i, &proposal)
		}
		if asked {
			p.asks = append(p.asks, i)
			proposal.Groups = p.groups(i, selector)
		}
		p.proposals = append(p.proposals, proposal)
	}
	w.muted = false
	w.asked = append([]int{}, p.asks...)
}

// groups: how the pods were classed for a metric of pods.
func (p *player) groups(i int, selector labels.Selector) *Groups {
	spec, namespace := &p.w.hpa.Spec.Metrics[i], p.w.hpa.Namespace
	p.w.asked = []int{i}
	var metrics metricsclient.PodMetricsInfo
	var name v1.ResourceName
	var err error
	switch spec.Type {
	case autoscalingv2.ResourceMetricSourceType:
		name = spec.Resource.Name
		metrics, _, err = p.metrics().GetResourceMetric(context.Background(), name, namespace, selector, "")
	case autoscalingv2.ContainerResourceMetricSourceType:
		name = spec.ContainerResource.Name
		metrics, _, err = p.metrics().GetResourceMetric(context.Background(), name, namespace, selector, spec.ContainerResource.Container)
	case autoscalingv2.PodsMetricSourceType:
		metrics, _, err = p.metrics().GetRawMetric(spec.Pods.Metric.Name, namespace, selector, labels.Everything())
	default:
		return nil
	}
	pods := p.w.matching(namespace, selector)
	if err != nil || len(pods) == 0 {
		return nil
	}
	ready, unready, missing, ignored := groupPods(pods, metrics, name, p.initialization, p.readinessDelay)
	groups := &Groups{Ready: ready, Unready: []string{}, Missing: []string{}, Ignored: []string{}}
	for _, pod := range pods {
		switch {
		case unready.Has(pod.Name):
			groups.Unready = append(groups.Unready, pod.Name)
		case missing.Has(pod.Name):
			groups.Missing = append(groups.Missing, pod.Name)
		case ignored.Has(pod.Name):
			groups.Ignored = append(groups.Ignored, pod.Name)
		}
	}
	return groups
}

// refuseUndefined stops at a proposal that was a double beyond its integer, and leaves out a status number that was one.
func (p *player) refuseUndefined(i int, proposal *Proposal) {
	spec := &p.w.hpa.Spec.Metrics[i]
	beyond := func(x float64) bool { return !(math.Abs(x) < math.MaxInt32) }
	target := func(t autoscalingv2.MetricTarget, average bool) float64 {
		if average {
			return float64(t.AverageValue.MilliValue())
		}
		return float64(t.Value.MilliValue())
	}
	total := func(value, target float64, capped bool) {
		factor := 1.0
		if p.w.spec != 0 {
			factor = math.Max(1, float64(len(p.w.pods)))
		}
		x := value / target * factor
		if beyond(x) && !(capped && x > 0 && p.w.spec != 0) {
			panic(errUndefined{"replicas of a total"})
		}
	}
	samples := func(ratio float64) {
		size := 64 + float64(len(p.w.pods))
		if beyond(ratio * size) {
			panic(errUndefined{"replicas of pods"})
		}
	}
	resource := func(t autoscalingv2.MetricTarget) {
		if t.AverageValue != nil {
			samples(float64(*proposal.AverageValue) / target(t, true))
		} else {
			samples(float64(*proposal.Utilization) / float64(*t.AverageUtilization))
		}
	}
	switch spec.Type {
	case autoscalingv2.ResourceMetricSourceType:
		resource(spec.Resource.Target)
	case autoscalingv2.ContainerResourceMetricSourceType:
		resource(spec.ContainerResource.Target)
	case autoscalingv2.PodsMetricSourceType:
		samples(float64(*proposal.AverageValue) / target(spec.Pods.Target, true))
	case autoscalingv2.ObjectMetricSourceType:
		value := float64(*p.w.answers[i].ValueMilli)
		if proposal.Value != nil {
			total(value, target(spec.Object.Target, false), true)
		} else {
			if beyond(value / target(spec.Object.Target, true)) {
				panic(errUndefined{"replicas of an object's average"})
			}
			if p.w.status == 0 || math.Abs(value) > 1<<62 {
				proposal.AverageValue = nil
			}
		}
	case autoscalingv2.ExternalMetricSourceType:
		if proposal.Value != nil {
			total(float64(*proposal.Value), target(spec.External.Target, false), true)
		} else if p.w.status == 0 {
			proposal.AverageValue = nil
		}
	}
}

func (p *player) tick(t *Tick) error {
	w := p.w
	if t.Restart {
		p.start()
		p.registerOthers(p.others)
	}
	if t.HPASpec != nil {
		changed := &autoscalingv2.HorizontalPodAutoscaler{}
		if err := json.Unmarshal(t.HPASpec, &changed.Spec); err != nil {
			return err
		}
		if err := store(changed); err != nil {
			return err
		}
		w.hpa.Spec = changed.Spec
	}
	if t.OtherHPAs != nil {
		p.registerOthers(*t.OtherHPAs)
	}
	if t.Scale != nil {
		w.spec, w.status, w.selector = or(t.Scale.SpecReplicas, w.spec), or(t.Scale.StatusReplicas, w.status), or(t.Scale.Selector, w.selector)
	}
	w.getError, w.updateError = t.ScaleGetError, t.ScaleUpdateError
	if t.Pods != nil {
		w.pods = nil
		for i := range *t.Pods {
			w.pods = append(w.pods, w.pod(&(*t.Pods)[i]))
		}
	}
	if t.Metrics != nil {
		w.answers = *t.Metrics
	}
	w.at = t.Now
	w.events, w.rescaleReason, w.rescaled, w.statusWritten = nil, "", false, false
	p.proposals, p.read, p.asks, w.asked = nil, false, nil, nil

	p.target = p.at(t.Now)
	if p.target.Before(time.Now()) {
		return fmt.Errorf("now_s %d is in the past", t.Now)
	}
	before := (*p.recommendations)[p.key]
	copied := append([]recommendation(nil), before...)
	scale, oldStatus := w.scale(), w.hpa.Status.DeepCopy()
	early := time.Duration(0)
	if before == nil {
		early = time.Nanosecond
	}
	time.Sleep(p.target.Sub(time.Now()) - early)
	// The error only repeats what conditions and events say.
	_ = reconcileAutoscaler(p.c, context.Background(), w.hpa, p.key)
	p.arrive()
	if len(w.asked) > 0 && p.read && !p.ambiguous() {
		return fmt.Errorf("tick at %d s: the controller asked for fewer metrics than expected", t.Now)
	}

	e := &t.Expect
	*e = Expect{DesiredReplicas: ref(w.spec), Rescaled: ref(w.rescaled), Conditions: map[string][2]string{}}
	for _, c := range w.hpa.Status.Conditions {
		e.Conditions[string(c.Type)] = [2]string{string(c.Status), c.Reason}
	}
	e.Events = ref(append([]string{}, w.events...))
	if w.rescaled {
		e.RescaleReason = ref(w.rescaleReason)
	}
	e.Status = &Status{CurrentReplicas: w.hpa.Status.CurrentReplicas, DesiredReplicas: w.hpa.Status.DesiredReplicas}
	if last := w.hpa.Status.LastScaleTime; last != nil {
		e.Status.LastScaleTime = ref(p.seconds(last.Time))
	}
	if p.read && !p.ambiguous() {
		e.Proposals = ref(p.proposals)
	}
	if p.read || p.saw("SelectorRequired") || p.saw("InvalidSelector") {
		if before == nil {
			copied = []recommendation{{scale.Spec.Replicas, p.target.Add(-time.Nanosecond)}}
		}
		p.steps(e, scale.Spec.Replicas, scale.Status.Replicas, scale.Status.Selector, copied)
	}
	p.statusWritten(e, oldStatus)

	// What was recorded in this sync has its instant, like everything before.
	lists := *p.recommendations
	for i := range lists[p.key] {
		lists[p.key][i].timestamp = lists[p.key][i].timestamp.Round(time.Second)
	}
	e.Recommendations = &[][2]int64{}
	for _, r := range lists[p.key] {
		*e.Recommendations = append(*e.Recommendations, [2]int64{int64(r.recommendation), p.seconds(r.timestamp)})
	}
	events := func(list []scaleEvent) *[][3]any {
		out := [][3]any{}
		for _, s := range list {
			out = append(out, [3]any{s.replicaChange, p.seconds(s.timestamp), s.outdated})
		}
		return &out
	}
	e.ScaleUpEvents, e.ScaleDownEvents = events((*p.ups)[p.key]), events((*p.downs)[p.key])
	return nil
}

func (p *player) saw(reason string) bool {
	for _, e := range p.w.events {
		if e == reason {
			return true
		}
	}
	return false
}

func (p *player) ambiguous() bool { return p.saw("AmbiguousSelector") }

// steps asks upstream for the numbers between: the metrics' maximum, and what the stabilization window makes of it, on a copy of the memory.
func (p *player) steps(e *Expect, spec, status int32, selector string, memory []recommendation) {
	w := p.w
	hpa := w.hpa.DeepCopy()
	w.muted = true
	defer func() { w.muted = false }()
	w.asked = append([]int{}, p.asks...)
	scale := w.scale()
	scale.Spec.Replicas, scale.Status.Replicas, scale.Status.Selector = spec, status, selector
	replicas, name, _, _, err := computeReplicasForMetrics(p.c, context.Background(), hpa, scale, hpa.Spec.Metrics)
	e.MetricReplicas = &replicas
	if err != nil && replicas == -1 {
		return
	}
	e.MetricName = &name
	const probe = "a copy"
	(*p.recommendations)[probe] = memory
	proposal := max(0, replicas)
	var stabilized int32
	if hpa.Spec.Behavior == nil {
		stabilized = stabilizeRecommendation(p.c, probe, proposal)
	} else {
		maybeInitScaleDownStabilizationWindow(p.c, hpa)
		stabilized, _, _ = stabilizeRecommendationWithBehaviors(p.c, podautoscaler.NormalizationArg{
			Key: probe, ScaleUpBehavior: hpa.Spec.Behavior.ScaleUp, ScaleDownBehavior: hpa.Spec.Behavior.ScaleDown,
			MinReplicas: or(hpa.Spec.MinReplicas, 1), MaxReplicas: hpa.Spec.MaxReplicas, CurrentReplicas: spec, DesiredReplicas: proposal})
	}
	delete(*p.recommendations, probe)
	e.Stabilized = &stabilized
}

// statusWritten is left out where only a condition's message differs, whose texts the format does not have, or a number that is undefined.
func (p *player) statusWritten(e *Expect, old *autoscalingv2.HorizontalPodAutoscalerStatus) {
	before := p.undefinedStatus
	p.undefinedStatus = before && !p.read && len(p.w.hpa.Status.CurrentMetrics) > 0
	for _, proposal := range p.proposals {
		p.undefinedStatus = p.undefinedStatus || !proposal.Error && proposal.MetricNumbers == (MetricNumbers{})
	}
	if before || p.undefinedStatus {
		return
	}
	if p.w.statusWritten {
		plain := func(s *autoscalingv2.HorizontalPodAutoscalerStatus) *autoscalingv2.HorizontalPodAutoscalerStatus {
			s = s.DeepCopy()
			for i := range s.Conditions {
				// The one message that SPEC.md gives in full.
				if s.Conditions[i].Reason != "ValidMetricFound" {
					s.Conditions[i].Message = ""
				}
			}
			return s
		}
		if apiequality.Semantic.DeepEqual(plain(old), plain(&p.w.hpa.Status)) {
			return
		}
	}
	if !p.w.statusWritten && p.ambiguous() {
		return // the message names the autoscalers in a random order
	}
	for _, c := range p.w.hpa.Status.Conditions {
		if !p.w.statusWritten && (strings.Contains(c.Message, "missing request for") || strings.Contains(c.Message, "not found in Pod")) {
			return // the message names one of the pods; upstream's list of them has no order
		}
	}
	e.StatusWritten = ref(p.w.statusWritten)
}
