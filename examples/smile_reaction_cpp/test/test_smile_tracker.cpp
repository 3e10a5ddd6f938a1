// Copyright 2026 emotion_perception maintainers
// SPDX-License-Identifier: Apache-2.0

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <string>
#include <vector>

#include "emotion_perception/msg/emotion_array.hpp"
#include "emotion_perception/msg/face_array.hpp"
#include "emotion_perception/srv/calibrate_neutral.hpp"
#include "smile_reaction_cpp/smile_tracker.hpp"

using emotion_perception::msg::EmotionArray;
using emotion_perception::msg::FaceEmotion;
using smile_reaction_cpp::SmileTracker;
using Events = std::vector<std::string>;

namespace
{

FaceEmotion smiling()
{
  FaceEmotion emotion;
  emotion.face.track_id = 7;
  emotion.label = FaceEmotion::HAPPINESS;
  return emotion;
}

/// Feeds so many messages of a tenth of a second each; returns the events, each with its tenth.
Events feed(SmileTracker & tracker, int from, int to, const std::vector<FaceEmotion> & faces)
{
  Events events;
  for (int tenth = from; tenth < to; ++tenth) {
    EmotionArray message;
    message.header.stamp.sec = 1000 + tenth / 10;
    message.header.stamp.nanosec = static_cast<std::uint32_t>(tenth % 10) * 100'000'000U;
    message.faces = faces;
    for (const auto & event : tracker.update(message)) {
      events.push_back(std::to_string(tenth) + ": " + event);
    }
  }
  return events;
}

void expect(const std::string & name, const Events & found, const Events & expected)
{
  if (found == expected) {
    return;
  }
  std::cerr << name << ": found";
  for (const auto & event : found) {
    std::cerr << " [" << event << "]";
  }
  std::cerr << "\n";
  std::exit(1);
}

}  // namespace

int main()
{
  FaceEmotion uncertain = smiling(), neutral = smiling(), old = smiling(), none = smiling();
  uncertain.uncertain = true;
  neutral.label = FaceEmotion::NEUTRAL;
  old.prediction_age_s = 0.6F;
  none.prediction_age_s = std::nanf("");

  SmileTracker tracker;
  expect("a smile of a second", feed(tracker, 0, 20, {smiling()}), {"10: track 7 smiles"});
  expect("its end", feed(tracker, 20, 40, {}), {"25: track 7 no longer smiles"});
  expect("a short smile", feed(tracker, 40, 50, {smiling()}), {});
  expect("no certain smile", feed(tracker, 50, 80, {uncertain, neutral, old, none}), {});
  expect("a smile again", feed(tracker, 80, 100, {smiling()}), {"90: track 7 smiles"});
  feed(tracker, 120, 121, {smiling()});
  expect("a pause of the messages", feed(tracker, 220, 221, {smiling()}), {});
  expect("a recording that begins again", feed(tracker, 0, 12, {smiling()}), {"10: track 7 smiles"});
  return 0;
}
