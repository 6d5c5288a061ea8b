package upstream

import (
	"context"
	"errors"
	"fmt"
	"time"

	autoscalingv1 "k8s.io/api/autoscaling/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	v1 "k8s.io/api/core/v1"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	autoscalingclient "k8s.io/client-go/kubernetes/typed/autoscaling/v2"
	corelisters "k8s.io/client-go/listers/core/v1"
	scaleclient "k8s.io/client-go/scale"
	customapi "k8s.io/metrics/pkg/apis/custom_metrics/v1beta2"
	externalapi "k8s.io/metrics/pkg/apis/external_metrics/v1beta1"
	metricsapi "k8s.io/metrics/pkg/apis/metrics/v1beta1"
	resourceclient "k8s.io/metrics/pkg/client/clientset/versioned/typed/metrics/v1beta1"
	customclient "k8s.io/metrics/pkg/client/custom_metrics"
	externalclient "k8s.io/metrics/pkg/client/external_metrics"
)

// The cluster around the controller: what it asks for is answered from the tick, what it writes is kept.

type world struct {
	now    func(int64) time.Time // an instant of the scenario
	arrive func()                // the clock reaches the tick's instant
	listed func(labels.Selector) // before the controller's first look at the pods

	hpa      *autoscalingv2.HorizontalPodAutoscaler
	spec     int32
	status   int32
	selector string
	pods     []*v1.Pod

	getError, updateError string
	answers               []Answer
	asked                 []int // which metric each request is for, in order
	at                    int64 // the tick's instant

	muted         bool
	events        []string
	rescaleReason string
	rescaled      bool
	statusWritten bool
}

func (w *world) scale() *autoscalingv1.Scale {
	return &autoscalingv1.Scale{
		ObjectMeta: metav1.ObjectMeta{Namespace: w.hpa.Namespace, Name: w.hpa.Spec.ScaleTargetRef.Name},
		Spec:       autoscalingv1.ScaleSpec{Replicas: w.spec},
		Status:     autoscalingv1.ScaleStatus{Replicas: w.status, Selector: w.selector},
	}
}

// Events.

func (w *world) Event(_ runtime.Object, _, reason, message string) {
	if w.muted {
		return
	}
	w.events = append(w.events, reason)
	if reason == "SuccessfulRescale" {
		var size int
		if n, err := fmt.Sscanf(message, "New size: %d; reason: ", &size); n != 1 || err != nil && err.Error() != "unexpected EOF" {
			panic("the message of a rescale reads " + message)
		}
		w.rescaleReason = message[len(fmt.Sprintf("New size: %d; reason: ", size)):]
	}
}

func (w *world) Eventf(o runtime.Object, kind, reason, format string, args ...any) {
	w.Event(o, kind, reason, fmt.Sprintf(format, args...))
}

func (w *world) AnnotatedEventf(o runtime.Object, _ map[string]string, kind, reason, format string, args ...any) {
	w.Eventf(o, kind, reason, format, args...)
}

// Any kind has a scale.

type anyKind struct{ apimeta.RESTMapper }

func (anyKind) RESTMappings(kind schema.GroupKind, _ ...string) ([]*apimeta.RESTMapping, error) {
	return []*apimeta.RESTMapping{{Resource: schema.GroupVersionResource{Group: kind.Group, Version: "v1", Resource: kind.Kind}}}, nil
}

// The target's scale.

type scales struct {
	scaleclient.ScaleInterface
	w *world
}

func (s scales) Scales(string) scaleclient.ScaleInterface { return s }

func (s scales) Get(context.Context, schema.GroupResource, string, metav1.GetOptions) (*autoscalingv1.Scale, error) {
	if s.w.getError != "" {
		return nil, errors.New(s.w.getError)
	}
	return s.w.scale(), nil
}

func (s scales) Update(_ context.Context, _ schema.GroupResource, scale *autoscalingv1.Scale, _ metav1.UpdateOptions) (*autoscalingv1.Scale, error) {
	s.w.arrive()
	if s.w.updateError != "" {
		return nil, errors.New(s.w.updateError)
	}
	s.w.spec, s.w.status, s.w.rescaled = scale.Spec.Replicas, scale.Spec.Replicas, true
	return s.w.scale(), nil
}

// The autoscaler's status, as the API server keeps it: nothing but the status, times in whole seconds.

type hpas struct {
	autoscalingclient.HorizontalPodAutoscalerInterface
	w *world
}

func (h hpas) HorizontalPodAutoscalers(string) autoscalingclient.HorizontalPodAutoscalerInterface {
	return h
}

func (h hpas) UpdateStatus(_ context.Context, hpa *autoscalingv2.HorizontalPodAutoscaler, _ metav1.UpdateOptions) (
	*autoscalingv2.HorizontalPodAutoscaler, error) {
	h.w.arrive()
	h.w.statusWritten = true
	hpa.Status.DeepCopyInto(&h.w.hpa.Status)
	if t := h.w.hpa.Status.LastScaleTime; t != nil {
		t.Time = t.Round(time.Second)
	}
	for i := range h.w.hpa.Status.Conditions {
		t := &h.w.hpa.Status.Conditions[i].LastTransitionTime
		t.Time = t.Round(time.Second)
	}
	return h.w.hpa, nil
}

// Pods.

type podLister struct{ w *world }

func (l podLister) Pods(namespace string) corelisters.PodNamespaceLister {
	return namespacedPods{l.w, namespace}
}

func (l podLister) List(labels.Selector) ([]*v1.Pod, error) {
	panic("the controller lists pods of all namespaces")
}

type namespacedPods struct {
	w         *world
	namespace string
}

func (l namespacedPods) List(selector labels.Selector) ([]*v1.Pod, error) {
	l.w.arrive()
	l.w.listed(selector)
	return l.w.matching(l.namespace, selector), nil
}

func (l namespacedPods) Get(string) (*v1.Pod, error) { panic("the controller asks for one pod") }

func (w *world) matching(namespace string, selector labels.Selector) []*v1.Pod {
	var found []*v1.Pod
	for _, pod := range w.pods {
		if pod.Namespace == namespace && selector.Matches(labels.Set(pod.Labels)) {
			found = append(found, pod)
		}
	}
	return found
}

// The three metrics APIs, below upstream's own client for them.

func (w *world) next() *Answer {
	if len(w.asked) == 0 {
		panic("the controller asks for a metric more often than expected")
	}
	i := w.asked[0]
	w.asked = w.asked[1:]
	if i >= len(w.answers) {
		panic(badScenario("no answer for a metric of the spec"))
	}
	return &w.answers[i]
}

type badScenario string

type resourceMetrics struct {
	resourceclient.PodMetricsInterface
	w *world
}

func (m resourceMetrics) PodMetricses(string) resourceclient.PodMetricsInterface { return m }

func (m resourceMetrics) List(context.Context, metav1.ListOptions) (*metricsapi.PodMetricsList, error) {
	answer := m.w.next()
	if answer.Error != "" {
		return nil, errors.New(answer.Error)
	}
	list := &metricsapi.PodMetricsList{}
	for _, sample := range *answer.Pods {
		item := metricsapi.PodMetrics{
			ObjectMeta: metav1.ObjectMeta{Name: sample.Pod},
			Timestamp:  metav1.NewTime(m.w.now(or(sample.Timestamp, m.w.at))),
			Window:     metav1.Duration{Duration: time.Duration(or(sample.Window, 60)) * time.Second},
		}
		if sample.Containers != nil {
			for _, c := range *sample.Containers {
				item.Containers = append(item.Containers, metricsapi.ContainerMetrics{Name: c.Name, Usage: resources(c.Usage)})
			}
		}
		list.Items = append(list.Items, item)
	}
	return list, nil
}

type customMetrics struct {
	customclient.CustomMetricsClient
	w *world
}

func (m customMetrics) RootScopedMetrics() customclient.MetricsInterface       { return m }
func (m customMetrics) NamespacedMetrics(string) customclient.MetricsInterface { return m }

func (m customMetrics) GetForObject(schema.GroupKind, string, string, labels.Selector) (*customapi.MetricValue, error) {
	answer := m.w.next()
	if answer.Error != "" {
		return nil, errors.New(answer.Error)
	}
	return &customapi.MetricValue{Value: milli(*answer.ValueMilli)}, nil
}

func (m customMetrics) GetForObjects(schema.GroupKind, labels.Selector, string, labels.Selector) (*customapi.MetricValueList, error) {
	answer := m.w.next()
	if answer.Error != "" {
		return nil, errors.New(answer.Error)
	}
	list := &customapi.MetricValueList{}
	for _, sample := range *answer.Pods {
		list.Items = append(list.Items, customapi.MetricValue{
			DescribedObject: v1.ObjectReference{Name: sample.Pod},
			Timestamp:       metav1.NewTime(m.w.now(or(sample.Timestamp, m.w.at))),
			WindowSeconds:   sample.Window,
			Value:           milli(*sample.ValueMilli),
		})
	}
	return list, nil
}

type externalMetrics struct{ w *world }

func (m externalMetrics) NamespacedMetrics(string) externalclient.MetricsInterface { return m }

func (m externalMetrics) List(string, labels.Selector) (*externalapi.ExternalMetricValueList, error) {
	answer := m.w.next()
	if answer.Error != "" {
		return nil, errors.New(answer.Error)
	}
	list := &externalapi.ExternalMetricValueList{}
	for _, value := range *answer.ValuesMilli {
		list.Items = append(list.Items, externalapi.ExternalMetricValue{Value: milli(value)})
	}
	return list, nil
}

func milli(value int64) resource.Quantity {
	return *resource.NewMilliQuantity(value, resource.DecimalSI)
}

func resources(a *Amounts) v1.ResourceList {
	list := v1.ResourceList{}
	if a != nil && a.CPUMilli != nil {
		list[v1.ResourceCPU] = milli(*a.CPUMilli)
	}
	if a != nil && a.MemoryBytes != nil {
		list[v1.ResourceMemory] = *resource.NewQuantity(*a.MemoryBytes, resource.BinarySI)
	}
	return list
}

func or[T any](value *T, otherwise T) T {
	if value == nil {
		return otherwise
	}
	return *value
}

// pod makes the object that the API server would hold.
func (w *world) pod(p *Pod) *v1.Pod {
	pod := &v1.Pod{ObjectMeta: metav1.ObjectMeta{Name: p.Name, Namespace: p.Namespace, Labels: map[string]string{"app": "web"}}}
	if p.Namespace == "" {
		pod.Namespace = w.hpa.Namespace
	}
	if p.Labels != nil {
		pod.Labels = *p.Labels
	}
	pod.Status.Phase = v1.PodRunning
	if p.Phase != "" {
		pod.Status.Phase = v1.PodPhase(p.Phase)
	}
	if p.Ready != nil {
		pod.Status.Conditions = []v1.PodCondition{{
			Type: v1.PodReady, Status: v1.ConditionStatus(*p.Ready), LastTransitionTime: metav1.NewTime(w.now(p.ReadySince))}}
	}
	if p.StartTime != nil {
		start := metav1.NewTime(w.now(*p.StartTime))
		pod.Status.StartTime = &start
	}
	if p.Deleted {
		deleted := metav1.NewTime(w.now(0))
		pod.DeletionTimestamp = &deleted
	}
	container := func(c *Container) v1.Container {
		made := v1.Container{Name: c.Name, Resources: v1.ResourceRequirements{Requests: resources(c.Requests)}}
		if c.RestartPolicy != "" {
			policy := v1.ContainerRestartPolicy(c.RestartPolicy)
			made.RestartPolicy = &policy
		}
		return made
	}
	for i := range p.Containers {
		pod.Spec.Containers = append(pod.Spec.Containers, container(&p.Containers[i]))
	}
	for i := range p.InitContainers {
		pod.Spec.InitContainers = append(pod.Spec.InitContainers, container(&p.InitContainers[i]))
	}
	if p.PodRequests != nil {
		pod.Spec.Resources = &v1.ResourceRequirements{Requests: resources(p.PodRequests)}
	}
	return pod
}
